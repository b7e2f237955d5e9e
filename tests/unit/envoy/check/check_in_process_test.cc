// A filter inside Envoy, and what routes say of it.
#include <gmock/gmock.h>

#include "check_base.h"
#include "envoy/check/check.h"

namespace extproc::envoy_config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kInside = R"(
http_filters:
  - name: guard
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter
      dynamic_module_config: { name: extproc_envoy }
      filter_name: guards.Guard
      filter_config:
        "@type": type.googleapis.com/google.protobuf.Struct
        value:
          failure_mode_allow: false
          mutation_rules: {}
          processing_mode: { request_body_mode: BUFFERED, response_body_mode: BUFFERED }
  - name: router
    typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
route_config:
  virtual_hosts:
    - name: all
      routes:
        - match: { prefix: / }
          route: { cluster: upstream }
          typed_per_filter_config:
            guard:
              "@type": type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute
              dynamic_module_config: { name: extproc_envoy }
              per_route_config_name: guards.Guard
              filter_config:
                "@type": type.googleapis.com/google.protobuf.Struct
                value: { disabled: true }
)";

std::vector<std::string> rules_on_route(const std::string& value,
                                        const std::string& name = "guards.Guard") {
  std::string text = exchange(std::string(kInside), "{ disabled: true }", value);
  text = exchange(text, "per_route_config_name: guards.Guard", "per_route_config_name: " + name);
  std::vector<std::string> rules;
  for (const Finding& finding : check(text, {all_needs()})) {
    rules.push_back(finding.rule);
    EXPECT_GE(finding.line, line_of(text, "            guard:")) << finding.what;
  }
  return rules;
}

TEST(CheckInProcess, ASoundOne) {
  std::vector<std::string> told;
  for (const Finding& finding : check(kInside, {all_needs()})) told.push_back(finding.what);
  EXPECT_THAT(told, IsEmpty());
}

TEST(CheckInProcess, ARouteIsCheckedAsTheFilterIs) {
  EXPECT_THAT(rules_on_route("{ failure_mode_allow: false, mutation_rules: {}, processing_mode: { "
                             "request_body_mode: BUFFERED, response_body_mode: BUFFERED } }"),
              IsEmpty());
  EXPECT_THAT(rules_on_route("{ failure_mode_allow: false, mutation_rules: {}, processing_mode: { "
                             "request_body_mode: NONE, response_body_mode: BUFFERED } }"),
              ElementsAre("phase-not-sent"));
}

TEST(CheckInProcess, WhatARouteSpellsWrong) {
  EXPECT_THAT(
      rules_on_route("{ failure_mode_allow: false, mutation_rules: {}, procesing_mode: {} }"),
      ElementsAre("unknown-field"));
}

TEST(CheckInProcess, FullDuplexOnARoute) {
  const std::string value =
      "{ failure_mode_allow: false, processing_mode: { request_body_mode: FULL_DUPLEX_STREAMED } }";
  EXPECT_THAT(rules_on_route(value, "guards.Another"), ElementsAre("full-duplex-in-process"));
}

TEST(CheckInProcess, OtherProcessorsOfARouteAreNotAskedAbout) {
  EXPECT_THAT(rules_on_route("{ processing_mode: { request_body_mode: NONE } }", "guards.Another"),
              IsEmpty());
}

TEST(CheckInProcess, ARouteOfAFilterThatIsNotInside) {
  const std::string text = exchange(
      exchange(std::string(kSound),
               "\"@type\": "
               "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute",
               "\"@type\": type.googleapis.com/"
               "envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute\n"
               "                              dynamic_module_config: { name: extproc_envoy }"),
      "                              disabled: true", "");
  const auto findings = check(text, {all_needs()});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "override-of-another-filter");
}

}  // namespace
}  // namespace extproc::envoy_config
