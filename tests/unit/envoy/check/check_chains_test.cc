#include <gmock/gmock.h>

#include "check_base.h"
#include "envoy/check/check.h"
#include "extproc/error.h"

namespace extproc::envoy_config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> rules(const std::vector<Finding>& findings) {
  std::vector<std::string> all;
  for (const Finding& finding : findings) all.push_back(finding.rule);
  return all;
}

std::string refusal(const std::string& text, const std::vector<Needs>& processors,
                    const CheckScope& scope = {}) {
  try {
    check(text, processors, scope);
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

/// One http_filters list, of filters that send the request's headers only.
std::string filters(const std::vector<std::pair<std::string, std::string>>& names_and_clusters) {
  std::string text = "http_filters:\n";
  for (const auto& [name, cluster] : names_and_clusters) {
    text += "  - name: " + name + R"(
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
      grpc_service: { envoy_grpc: { cluster_name: )" +
            cluster + R"( } }
      failure_mode_allow: false
      processing_mode: { response_header_mode: SKIP }
)";
  }
  return text;
}

Needs headers(const std::string& name) {
  return {.name = name, .handled = {Phase::request_headers}};
}
Needs body(const std::string& name) { return {.name = name, .handled = {Phase::request_body}}; }

TEST(CheckChains, OneFilterServesAllProcessors) {
  const std::string text = filters({{"a", "a"}});
  EXPECT_THAT(check(text, {headers("A"), headers("B")}), IsEmpty());
  const auto findings = check(text, {headers("A"), body("B")});
  ASSERT_THAT(rules(findings), ElementsAre("phase-not-sent"));
  EXPECT_THAT(findings[0].what, HasSubstr("A,B handles request_body"));
}

TEST(CheckChains, AsManyFiltersAsProcessorsAreTheirsInOrder) {
  const std::string text = filters({{"a", "a"}, {"b", "b"}});
  EXPECT_THAT(check(text, {headers("A"), headers("B")}), IsEmpty());
  const auto findings = check(text, {headers("A"), body("B")});
  ASSERT_THAT(rules(findings), ElementsAre("phase-not-sent"));
  EXPECT_THAT(findings[0].what, AllOf(HasSubstr("B handles"), HasSubstr("the filter b")));
  EXPECT_GT(findings[0].line, 7);
}

TEST(CheckChains, OtherNumbersHaveToBeExplained) {
  const std::string text = filters({{"a", "a"}, {"b", "b"}});
  EXPECT_THAT(refusal(text, {headers("A")}),
              AllOf(HasSubstr("2 ext_proc filters (a, b) for 1 processor"), HasSubstr("--filter")));
  EXPECT_THAT(check(text, {body("A")}, {.filter = "b"}), ::testing::SizeIs(1));
  EXPECT_THAT(refusal(text, {headers("A")}, {.filter = "c"}),
              HasSubstr("no ext_proc filter is called c; there are: a, b"));
  EXPECT_THAT(refusal(filters({{"a", "a"}}), {headers("A"), headers("B")}, {.separate = true}),
              HasSubstr("1 ext_proc filters (a) for 2 processors"));
}

TEST(CheckChains, EachListenerHasItsOwn) {
  const std::string two = filters({{"a", "a"}}) +
                          exchange(filters({{"b", "b"}}), "http_filters", "of_another_listener");
  EXPECT_THAT(check(two, {headers("A")}), IsEmpty());
  EXPECT_THAT(rules(check(two, {body("A")})), ElementsAre("phase-not-sent", "phase-not-sent"));
}

TEST(CheckChains, SeveralFiltersOfOneClusterShouldBeAChain) {
  const std::string text = filters({{"a", "same"}, {"b", "same"}});
  const auto findings = check(text, {headers("A")});
  ASSERT_THAT(rules(findings), ElementsAre("same-cluster-twice"));
  EXPECT_EQ(findings[0].line, 11);
  EXPECT_THAT(check(filters({{"a", "one"}, {"b", "two"}}), {headers("A"), headers("B")}),
              IsEmpty());
}

TEST(CheckChains, BehindTheRouter) {
  const std::string router =
      "  - name: router\n    typed_config: { \"@type\": "
      "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }\n";
  const std::string filter = filters({{"a", "a"}});
  EXPECT_THAT(check(filter + router, {headers("A")}), IsEmpty());
  const std::string behind = exchange(filter, "http_filters:\n", "http_filters:\n" + router);
  const auto findings = check(behind, {headers("A")});
  ASSERT_THAT(rules(findings), ElementsAre("after-the-router"));
  EXPECT_EQ(findings[0].line, line_of(behind, "- name: a\n"));
}

TEST(CheckChains, RouteOverrides) {
  const std::string sound(kSound);
  const char* disabled = "disabled: true";
  const std::string indent(30, ' ');
  const auto with = [&](const std::string& overrides) {
    return exchange(sound, disabled, "overrides:\n" + indent + "  " + overrides);
  };
  // An override's mode stands for itself: what it does not state has Envoy's default.
  const std::string mode = with("processing_mode: { request_header_mode: SEND }");
  EXPECT_THAT(rules(check(mode, {all_needs()})),
              ElementsAre("phase-not-sent", "phase-not-sent", "phase-not-sent", "phase-not-sent"));
  EXPECT_EQ(check(mode, {all_needs()})[0].line,
            line_of(mode, "processing_mode: { request_header_mode"));
  const std::string full = with(
      "processing_mode: { request_body_mode: BUFFERED, response_body_mode: BUFFERED, "
      "request_trailer_mode: SEND, response_trailer_mode: SEND }");
  EXPECT_THAT(check(full, {all_needs()}), IsEmpty());
  const std::string cluster = with("grpc_service: { envoy_grpc: { cluster_name: nowhere } }");
  ASSERT_THAT(rules(check(cluster, {all_needs()})), ElementsAre("cluster-missing"));
  EXPECT_EQ(check(cluster, {all_needs()})[0].line, line_of(cluster, "nowhere"));
  const std::string ignored = with("request_attributes: [request.path]");
  ASSERT_THAT(rules(check(ignored, {all_needs()})), ElementsAre("override-ignored"));
  EXPECT_EQ(check(ignored, {all_needs()})[0].severity, kWarning);
  // Envoy takes it here.
  const std::string duplex = with(
      "processing_mode: { request_body_mode: FULL_DUPLEX_STREAMED, response_body_mode: BUFFERED, "
      "response_trailer_mode: SEND }");
  Needs needs = needs_without(Phase::request_trailers);
  needs.request_body_mode = BodySendMode::full_duplex_streamed;
  std::string what;
  for (const Finding& finding : check(duplex, {needs})) {
    if (finding.rule == "full-duplex-without-trailers") what = finding.what;
  }
  EXPECT_THAT(what, AllOf(HasSubstr("on this route"), HasSubstr("is not told")));
  const std::string misspelt = with("failure_mode_allowed: true");
  EXPECT_THAT(rules(check(misspelt, {all_needs()})), ElementsAre("unknown-field"));

  const std::string unknown = exchange(sound, "                            guard:\n",
                                       "                            gard:\n");
  ASSERT_THAT(rules(check(unknown, {all_needs()})), ElementsAre("override-of-no-filter"));
  EXPECT_EQ(check(unknown, {all_needs()})[0].line, line_of(unknown, "gard:"));
}

TEST(CheckChains, APieceHasNoClusterMissing) {
  const std::string text = filters({{"a", "elsewhere"}});
  EXPECT_THAT(check(text, {headers("A")}), IsEmpty());
  EXPECT_THAT(rules(check(text + "clusters: []\n", {headers("A")})),
              ElementsAre("cluster-missing"));
}

TEST(CheckChains, FiltersThatArePatchedIn) {
  std::string text = "spec:\n  configPatches:\n";
  for (const char* name : {"a", "b"}) {
    text +=
        "    - patch:\n        value: { name: " + std::string(name) +
        ", typed_config: { \"@type\": type.googleapis.com/"
        "envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor, failure_mode_allow: false, "
        "grpc_service: { envoy_grpc: { cluster_name: " +
        name + " } }, processing_mode: { response_header_mode: SKIP } } }\n";
  }
  EXPECT_THAT(check(text, {headers("A"), headers("B")}), IsEmpty());
  const auto findings = check(text, {headers("A"), body("B")});
  ASSERT_THAT(rules(findings), ElementsAre("phase-not-sent"));
  EXPECT_EQ(findings[0].line, 6);
}

TEST(CheckChains, JsonIsReadToo) {
  const std::string text =
      R"({"httpFilters": [{"name": "a", "typedConfig": {"@type":
 "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
 "grpcService": {"envoyGrpc": {"clusterName": "a"}}, "failureModeAllow": false,
 "processingMode": {"responseHeaderMode": "SKIP",
   "requestTrailerMode": "SEND"}}}]})";
  const auto findings = check(text, {headers("A")});
  ASSERT_THAT(rules(findings), ElementsAre("phase-not-handled"));
  EXPECT_EQ(findings[0].line, 5);
}

TEST(CheckChains, WhatCannotBeChecked) {
  EXPECT_THAT(refusal("a: [", {headers("A")}), HasSubstr("it is not YAML"));
  EXPECT_THAT(refusal("a: b: c", {headers("A")}), HasSubstr("line 1, column"));
  EXPECT_THAT(refusal("kind: EnvoyExtensionPolicy", {headers("A")}),
              HasSubstr("the gateway makes"));
  for (const char* text : {"", "just text", "static_resources: {}", "- 1\n- 2\n"}) {
    EXPECT_THAT(refusal(text, {headers("A")}), HasSubstr("there is no ext_proc filter")) << text;
  }
}

}  // namespace
}  // namespace extproc::envoy_config
