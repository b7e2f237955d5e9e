// Texts that cannot be checked as they are: what is said of each, and where.
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

std::string refusal(const std::string& text) {
  try {
    check(text, {all_needs()});
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

/// Levels of ten aliases each, every one of the level before it.
std::string explosion(int levels) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level <= levels; ++level) {
    const std::string alias = "*a" + std::to_string(level - 1);
    text += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [" + alias;
    for (int i = 1; i < 10; ++i) text += ", " + alias;
    text += "]\n";
  }
  return text;
}

TEST(Legible, AliasesThatStandForThemselves) {
  EXPECT_THAT(refusal("b: 1\na: &a [*a]\n"), AllOf(HasSubstr("line 2"), HasSubstr("without end")));
  EXPECT_THAT(refusal("a: &a { b: { c: *a } }\n"), HasSubstr("line 1"));
  EXPECT_THAT(refusal("&a [[[*a, *a]]]\n"), HasSubstr("without end"));
}

TEST(Legible, AliasesThatStandForTooMuch) {
  EXPECT_THAT(refusal(explosion(3)), HasSubstr("there is no ext_proc filter"));
  for (const int levels : {7, 60})
    EXPECT_THAT(refusal(explosion(levels)), AllOf(HasSubstr("line "), HasSubstr("stand for more")));
  // Within what is read as a filter.
  const std::string text = exchange(std::string(kSound), "mutation_rules: {}",
                                    "mutation_rules: {}\n                      x: *a9");
  EXPECT_THAT(refusal(explosion(9) + text.substr(1)), HasSubstr("stand for more"));
}

TEST(Legible, MergeKeys) {
  const char* from = "request_header_mode: SEND";
  const std::string merged =
      exchange(std::string(kSound), from, "<<: { " + std::string(from) + " }");
  const auto findings = check(merged, {all_needs()});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "merge-key");
  EXPECT_EQ(findings[0].severity, kError);
  EXPECT_EQ(findings[0].line, line_of(merged, "<<"));
  // Around the filter too, where no reader of ours looks for fields.
  const std::string outside =
      "base: &base { name: a }\n" +
      exchange(std::string(kSound), "    - name: http\n", "    - <<: *base\n");
  ASSERT_EQ(check(outside, {all_needs()}).size(), 1U);
  EXPECT_EQ(check(outside, {all_needs()})[0].line, line_of(outside, "<<"));
}

TEST(Legible, Templates) {
  const char* flag = "failure_mode_allow: false";
  for (const char* value : {"{{ .Values.allow }}", "{{allow}}", "\"{{ .Values.allow }}\""}) {
    const std::string text =
        exchange(std::string(kSound), flag, "failure_mode_allow: " + std::string(value));
    const auto findings = check(text, {all_needs()});
    ASSERT_EQ(findings.size(), 1U) << value;
    EXPECT_EQ(findings[0].line, line_of(text, "failure_mode_allow"));
    EXPECT_EQ(findings[0].severity, kError);
  }
  const std::string conditional = exchange(std::string(kSound), flag, "{{- if .Values.allow }}");
  EXPECT_THAT(refusal(conditional), AllOf(HasSubstr("line "), HasSubstr("template")));
  EXPECT_THAT(refusal("{% if x %}\na: b\n"), HasSubstr("template"));
  EXPECT_THAT(refusal("a: b: c"), ::testing::Not(HasSubstr("template")));
}

/// A dump of Envoy's, with a listener as the bootstrap has it too.
std::string dump(const std::string& state, const std::string& listeners) {
  const std::string listener = R"({
 "name": "l", "filter_chains": [{"filters": [{"name": "hcm", "typed_config": {"http_filters": [{"name": "guard",
 "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor",
 "grpc_service": {"envoy_grpc": {"cluster_name": "guard"}},
 "processing_mode": {"request_body_mode": "NONE", "response_header_mode": "SKIP"}}}]}}]}]})";
  return R"({"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump",
 "bootstrap": {"static_resources": {"listeners": [)" +
         listener + R"(]}}},
 {"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", ")" +
         listeners + R"(": [{")" + state + "\": " +
         (listeners == "static_listeners" ? listener : "{\"listener\": " + listener + "}") +
         R"(}]}]})";
}

TEST(Dump, TellsEachThingOnceAndWhatIsLeftOutIsStated) {
  const Needs body{.name = "Guard", .handled = {Phase::request_headers, Phase::request_body}};
  for (const auto& [state, listeners] :
       {std::pair{"listener", "static_listeners"}, {"active_state", "dynamic_listeners"}}) {
    std::vector<std::string> rules;
    for (const Finding& finding : check(dump(state, listeners), {body}))
      rules.push_back(finding.rule);
    EXPECT_THAT(rules, ElementsAre("phase-not-sent")) << listeners;
  }
  // Two states of one listener.
  std::string two = dump("active_state", "dynamic_listeners");
  const std::size_t at = two.find("\"active_state\"");
  const std::size_t end = two.rfind("}]}]}");
  two.insert(end, ", \"draining_state\": " + two.substr(at + 16, end - at - 16));
  EXPECT_EQ(check(two, {body}).size(), 1U);
  // The bootstrap alone, as Envoy is asked for it.
  std::string alone = dump("listener", "static_listeners");
  alone = alone.substr(
              0, alone.find(",\n {\"@type\": \"type.googleapis.com/envoy.admin.v3.Listeners")) +
          "]}";
  std::vector<std::string> rules;
  for (const Finding& finding : check(alone, {body})) rules.push_back(finding.rule);
  EXPECT_THAT(rules, ElementsAre("cluster-missing", "phase-not-sent"));
}

}  // namespace
}  // namespace extproc::envoy_config
