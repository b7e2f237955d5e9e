#include <gmock/gmock.h>

#include "check_base.h"
#include "envoy/check/check.h"

namespace extproc::envoy_config {
namespace {

TEST(CheckFilter, Times) {
  const Case cases[] = {
      {"message-timeout-zero", kError, "message_timeout: 0.5s\n", "message_timeout: 0s\n",
       "message_timeout: 0s"},
      {"not-a-duration", kError, "message_timeout: 0.5s\n", "message_timeout: 500ms\n", "500ms"},
      {"max-message-timeout-too-short", kError, "max_message_timeout: 2s",
       "max_message_timeout: 0.4s", "max_message_timeout"},
      {"message-timeout-over-grpc-timeout", kError, "envoy_grpc: { cluster_name: guard }",
       "envoy_grpc: { cluster_name: guard }\n                        timeout: 0.4s",
       " message_timeout"},
      {"stream-timeout", kWarning, "envoy_grpc: { cluster_name: guard }",
       "envoy_grpc: { cluster_name: guard }\n                        timeout: 30s",
       " timeout: 30s"}};
  for (const Case& one : cases) expect_found(one);
}

TEST(CheckFilter, TheDefaultMessageTimeoutCounts) {
  const std::string text =
      exchange(exchange(std::string(kSound), "                      message_timeout: 0.5s\n", ""),
               "max_message_timeout: 2s", "max_message_timeout: 0.1s");
  const auto findings = check(text, {all_needs()});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "max-message-timeout-too-short");
}

TEST(CheckFilter, TheFilterAsAWhole) {
  const char* flag = "failure_mode_allow: false";
  const Case cases[] = {
      {"failure-mode-not-stated", kWarning, flag, "", "- name: guard\n                    typed"},
      {"immediate-response-disabled", kWarning, flag,
       "failure_mode_allow: false\n                      disable_immediate_response: true",
       "disable_immediate"},
      {"chain-header-denied", kError, "mutation_rules: {}",
       "mutation_rules: { disallow_expression: { regex: 'x-ext-.*' } }", "disallow_expression"},
      {"no-grpc-service", kError, "envoy_grpc: { cluster_name: guard }",
       "retry_policy: { num_retries: 5 }", "grpc_service:"},
      {"google-grpc", kWarning, "envoy_grpc: { cluster_name: guard }",
       "google_grpc: { target_uri: 'a:1', stat_prefix: a }", "google_grpc"}};
  for (const Case& one : cases) {
    if (std::string_view(one.rule) == "failure-mode-not-stated") continue;
    expect_found(one);
  }
  const std::string unstated = exchange(std::string(kSound), flag, "");
  const auto findings = check(unstated, {all_needs()});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "failure-mode-not-stated");
  EXPECT_EQ(findings[0].line, line_of(unstated, "ext_proc.v3.ExternalProcessor") - 1);
}

TEST(CheckFilter, HeaderRules) {
  const std::string sound(kSound);
  const auto rules_of = [&](std::string_view rules, const Needs& needs) {
    std::vector<std::string> found;
    for (const Finding& finding : check(exchange(sound, "mutation_rules: {}", rules), {needs})) {
      found.push_back(finding.rule);
    }
    return found;
  };
  Needs without_chain = all_needs();
  without_chain.chain_header.clear();
  Needs envoy_header = all_needs();
  envoy_header.chain_header = "x-envoy-chain";
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  EXPECT_THAT(rules_of("mutation_rules: { disallow_all: true }", all_needs()),
              ElementsAre("chain-header-denied", "no-header-changes"));
  EXPECT_THAT(rules_of("mutation_rules: { disallow_all: true }", without_chain),
              ElementsAre("no-header-changes"));
  EXPECT_THAT(
      rules_of("mutation_rules: { disallow_all: true, allow_expression: { regex: 'x-ext-.*' } "
               "}",
               all_needs()),
      IsEmpty());
  EXPECT_THAT(
      rules_of("mutation_rules: { disallow_expression: { regex: 'x-other' } }", all_needs()),
      IsEmpty());
  EXPECT_THAT(rules_of("mutation_rules: {}", envoy_header), ElementsAre("chain-header-denied"));
  EXPECT_THAT(rules_of("mutation_rules: { allow_envoy: true }", envoy_header), IsEmpty());
}

TEST(CheckFilter, FailureModeCannotBeKeptInFullDuplex) {
  const Needs needs = expects(BodySendMode::full_duplex_streamed);
  const std::string sound = exchange(std::string(kSound), "request_body_mode: BUFFERED",
                                     "request_body_mode: FULL_DUPLEX_STREAMED");
  EXPECT_TRUE(check(sound, {needs}).empty());
  const std::string damaged =
      exchange(sound, "failure_mode_allow: false", "failure_mode_allow: true");
  const auto findings = check(damaged, {needs});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "failure-mode-with-full-duplex");
  EXPECT_EQ(findings[0].line, line_of(damaged, "failure_mode_allow"));
  EXPECT_TRUE(
      check(exchange(std::string(kSound), "failure_mode_allow: false", "failure_mode_allow: true"),
            {all_needs()})
          .empty());
}

TEST(CheckFilter, Observability) {
  const Needs needs = expects(BodySendMode::streamed, BodySendMode::buffered);
  std::string text =
      exchange(std::string(kSound), "request_body_mode: BUFFERED", "request_body_mode: STREAMED");
  EXPECT_TRUE(check(text, {needs}).empty());
  text = exchange(text, "failure_mode_allow: false",
                  "failure_mode_allow: false\n                      observability_mode: true");
  const auto findings = check(text, {needs});
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].rule, "answers-ignored");
  EXPECT_EQ(findings[0].line, line_of(text, "observability_mode"));
  EXPECT_EQ(findings[1].rule, "observability-body-mode");
}

TEST(CheckFilter, Spelling) {
  const Case cases[] = {
      {"unknown-field", kError, "mutation_rules: {}", "mutation_rule: {}", "mutation_rule:"},
      {"unknown-field", kError, "max_message_timeout: 2s", "maxMesageTimeout: 2s", "maxMesage"},
      {"unknown-field", kError, "mutation_rules: {}", "mutation_rules: { disalow_all: false }",
       "disalow_all"},
      {"unknown-field", kError, "grpc_service:\n",
       "grpc_service:\n                        time_out: 1s\n", "time_out"},
      {"unknown-value", kError, "request_header_mode: SEND", "request_header_mode: SENT", "SENT"},
      {"unknown-field", kError, "disabled: true", "disable: true", "disable: true"}};
  for (const Case& one : cases) expect_found(one);
  const auto findings = check(
      exchange(std::string(kSound), "mutation_rules: {}", "mutation_rule: {}"), {all_needs()});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_THAT(findings[0].mend, ::testing::HasSubstr("mutation_rules"));
}

}  // namespace
}  // namespace extproc::envoy_config
