// A filter inside Envoy, and what routes say of it.
#include <gmock/gmock.h>

#include "check_base.h"
#include "envoy/check/check.h"
#include "extproc/http.h"

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

/// What is found with this as the message that filter_config is, from "@type" on; the lines of it
/// that the findings name.
std::vector<std::pair<std::string, int>> found_in(const std::string& config) {
  const std::string text = std::string(kInside);
  const auto begin = text.find("        \"@type\": type.googleapis.com/google.protobuf.Struct");
  const auto end = text.find("  - name: router");
  std::vector<std::pair<std::string, int>> found;
  const int before = line_of(text, "      filter_name:") + 1;
  for (const Finding& finding :
       check(text.substr(0, begin) + config + text.substr(end), {all_needs()}))
    found.emplace_back(finding.rule, finding.line - before);
  return found;
}

std::string struct_of(const std::string& fields) {
  return "        \"@type\": type.googleapis.com/google.protobuf.Struct\n        value:\n" + fields;
}

std::string text_of(const std::string& value) {
  return "        \"@type\": type.googleapis.com/google.protobuf.StringValue\n        value: " +
         value;
}

TEST(CheckInProcess, ATextIsReadAsAStructIs) {
  const std::string sound =
      "          failure_mode_allow: false\n"
      "          mutation_rules: {}\n"
      "          processing_mode: { request_body_mode: BUFFERED, response_body_mode: BUFFERED }\n";
  EXPECT_THAT(found_in(struct_of(sound)), IsEmpty());
  EXPECT_THAT(found_in(text_of("|\n" + sound)), IsEmpty());
  const std::string wrong =
      exchange(sound, "request_body_mode: BUFFERED", "request_body_mode: NONE");
  const std::vector<std::pair<std::string, int>> not_sent = {{"phase-not-sent", 5}};
  EXPECT_EQ(found_in(struct_of(wrong)), not_sent);
  EXPECT_EQ(found_in(text_of("|\n" + wrong)), not_sent);
  EXPECT_EQ(found_in(struct_of(exchange(sound, "mutation_rules", "mutation_rule"))),
            found_in(text_of("|\n" + exchange(sound, "mutation_rules", "mutation_rule"))));
}

TEST(CheckInProcess, AJsonTextOnOneLine) {
  const std::string json =
      R"({"failure_mode_allow": false, "mutation_rules": {}, "processing_mode": )"
      R"({"request_body_mode": "BUFFERED", "response_body_mode": "NONE"}})";
  const std::vector<std::pair<std::string, int>> not_sent = {{"phase-not-sent", 2}};
  EXPECT_EQ(found_in(text_of("'" + json + "'\n")), not_sent);
  EXPECT_EQ(found_in("        \"@type\": type.googleapis.com/google.protobuf.BytesValue\n"
                     "        value: " +
                     http::base64_encode(json) + "\n"),
            not_sent);
}

TEST(CheckInProcess, WhatTheFilterWouldRefuse) {
  const std::vector<std::pair<std::string, std::vector<std::pair<std::string, int>>>> cases = {
      {struct_of("          failure_mode_allow: false\n          blocking_threads: -1\n"),
       {{"filter-config-refused", 4}}},
      {struct_of("          blocking_threads: 5000\n"), {{"filter-config-refused", 3}}},
      {struct_of("          processors: [{ settings: {} }]\n"), {{"filter-config-refused", 3}}},
      {struct_of("          held_time: soon\n"), {{"filter-config-refused", 3}}},
      {struct_of("          module_path: 3\n"), {{"filter-config-refused", 3}}},
      {struct_of("          applied_header: \"a b\"\n"), {{"filter-config-refused", 3}}},
      {text_of("|\n          failure_mode_allow: false\n          blocking_threads: -1\n"),
       {{"filter-config-refused", 4}}},
      {text_of("|\n          a: &a [1]\n          b: *a\n"), {{"filter-config-refused", 3}}},
      {text_of("|\n          failure_mode_allow: false\n          {\n"),
       {{"filter-config-refused", 5}}},
      {text_of("'{\"processors\": [}'\n"), {{"filter-config-refused", 2}}},
      {text_of("just a text\n"), {{"filter-config-refused", 0}}},
      {"        \"@type\": type.googleapis.com/google.protobuf.BytesValue\n        value: \"!\"\n",
       {{"filter-config-refused", 0}}},
      {"        \"@type\": type.googleapis.com/google.protobuf.Int32Value\n        value: 3\n",
       {{"filter-config-refused", 0}}},
  };
  for (const auto& [config, expected] : cases) {
    auto found = found_in(config);
    // What the processor needs is another matter.
    std::erase_if(found, [](const auto& one) { return one.first != "filter-config-refused"; });
    EXPECT_EQ(found, expected) << config;
  }
}

TEST(CheckInProcess, WhatIsToldAndTakenInsideAlone) {
  const std::string sound =
      "          failure_mode_allow: false\n"
      "          mutation_rules: {}\n"
      "          status_on_error: { code: 418 }\n"
      "          processing_mode: { request_body_mode: STREAMED, response_body_mode: BUFFERED }\n";
  const std::string text = std::string(kInside);
  const auto begin = text.find("        \"@type\": type.googleapis.com/google.protobuf.Struct");
  Needs needs = all_needs();
  needs.stated.request_attributes = {"request.path"};
  needs.stated.metadata_read = {"route"};
  needs.stated.request_headers_wait_for_body = true;
  std::vector<std::string> told;
  for (const Finding& finding :
       check(text.substr(0, begin) + struct_of(sound) + text.substr(text.find("  - name: router")),
             {needs}))
    told.push_back(finding.rule);
  // That its handler is called for each chunk.
  EXPECT_THAT(told, ElementsAre("body-mode"));
}

TEST(CheckInProcess, ARouteOfAFilterThatIsNotInside) {
  const std::string text = exchange(
      exchange(std::string(kSound),
               "\"@type\": "
               "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute",
               "\"@type\": type.googleapis.com/"
               "envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute\n"
               "                              dynamic_module_config: { name: extproc_envoy }\n"
               "                              per_route_config_name: guards.Guard"),
      "                              disabled: true", "");
  const auto findings = check(text, {all_needs()});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "override-of-another-filter");
}

}  // namespace
}  // namespace extproc::envoy_config
