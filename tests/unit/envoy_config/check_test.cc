#include "envoy_config/check.h"

#include <gmock/gmock.h>

#include "check_base.h"

namespace extproc::envoy_config {
namespace {

constexpr Phase kQh = Phase::request_headers;
constexpr Phase kQb = Phase::request_body;
constexpr Phase kSb = Phase::response_body;
constexpr auto kError = Severity::error;
constexpr auto kWarning = Severity::warning;

/// What is damaged in the sound configuration, and the one finding that must come of it, at the
/// line that contains `line`.
struct Case {
  const char* rule;
  Severity severity;
  const char* from;
  const char* to;
  const char* line;
  Needs needs = all_needs();
};

void expect_found(const Case& one) {
  const std::string sound(kSound);
  const std::string damaged = exchange(sound, one.from, one.to);
  const std::string context = std::string(one.rule) + ": " + one.to;
  const int line = line_of(damaged, one.line);
  ASSERT_NE(line, 0) << context << "\n" << damaged.substr(0, 60);
  const std::vector<Finding> findings = check(damaged, {one.needs});
  ASSERT_EQ(findings.size(), 1U) << context
                                 << (findings.empty()
                                         ? ""
                                         : findings[0].rule + " " + findings.back().rule);
  EXPECT_EQ(findings[0].rule, one.rule) << context;
  EXPECT_EQ(findings[0].line, line) << context;
  EXPECT_GT(findings[0].column, 0) << context;
  EXPECT_EQ(findings[0].severity, one.severity) << context;
  EXPECT_FALSE(findings[0].what.empty() || findings[0].mend.empty()) << context;
  // The mended twin.
  EXPECT_TRUE(check(sound, {one.needs}).empty()) << context;
}

Needs expects(BodyMode request, BodyMode response = BodyMode::buffered) {
  Needs needs = all_needs();
  needs.request_body_mode = request;
  needs.response_body_mode = response;
  return needs;
}

Needs overrides_mode() {
  Needs needs = all_needs();
  needs.mode_override = true;
  return needs;
}

TEST(Check, NothingIsFoundInASoundConfiguration) {
  EXPECT_TRUE(check(kSound, {all_needs()}).empty());
}

TEST(Check, PhasesThatAreNotSent) {
  const char* rule = "phase-not-sent";
  const Case cases[] = {
      {rule, kError, "request_header_mode: SEND", "request_header_mode: SKIP",
       "request_header_mode"},
      {rule, kError, "response_header_mode: SEND", "response_header_mode: SKIP",
       "response_header_mode"},
      {rule, kError, "request_body_mode: BUFFERED", "request_body_mode: NONE", "request_body_mode"},
      {rule, kError, "request_body_mode: BUFFERED", "request_body_mode: GRPC", "request_body_mode"},
      {rule, kError, "request_body_mode: BUFFERED", "request_body_mode: 0", "request_body_mode"},
      {rule, kError, "response_body_mode: BUFFERED", "responseBodyMode: NONE", "responseBodyMode"},
      {rule, kError, "request_trailer_mode: SEND", "request_trailer_mode: SKIP",
       "request_trailer_mode"},
      // Not stated: the body's default is NONE, the trailers' SKIP.
      {rule, kError, "request_body_mode: BUFFERED", "", "processing_mode:"},
      {rule, kError, "response_trailer_mode: SEND", "", "processing_mode:"},
      {rule, kError, "response_trailer_mode: SEND", "response_trailer_mode: DEFAULT",
       "response_trailer_mode"}};
  for (const Case& one : cases) expect_found(one);
}

TEST(Check, HeadersAreSentByDefault) {
  for (const char* field : {"request_header_mode: SEND", "response_header_mode: SEND"}) {
    EXPECT_TRUE(check(exchange(std::string(kSound), field, ""), {all_needs()}).empty()) << field;
  }
}

TEST(Check, WithoutAProcessingModeTheFilterIsPointedAt) {
  const std::string sound(kSound);
  const std::size_t begin = sound.find("                      processing_mode:");
  const std::size_t end = sound.find("                  - name: router");
  const std::string text = sound.substr(0, begin) + sound.substr(end);
  const int line = line_of(text, "ext_proc.v3.ExternalProcessor") - 1;
  std::vector<std::string> rules;
  for (const Finding& finding : check(text, {all_needs()})) {
    EXPECT_EQ(finding.line, line);
    rules.push_back(finding.rule);
  }
  // Both bodies, both trailers; headers are sent by default.
  EXPECT_EQ(rules, std::vector<std::string>(4, "phase-not-sent"));
}

TEST(Check, PhasesThatAreNotHandled) {
  const char* rule = "phase-not-handled";
  const std::pair<Phase, const char*> cases[] = {
      {kQb, "request_body_mode"},
      {kSb, "response_body_mode"},
      {Phase::request_trailers, "request_trailer_mode"},
      {Phase::response_trailers, "response_trailer_mode"}};
  for (const auto& [phase, field] : cases) {
    const auto findings = check(kSound, {needs_without(phase)});
    ASSERT_EQ(findings.size(), 1U) << field;
    EXPECT_EQ(findings[0].rule, rule);
    EXPECT_EQ(findings[0].severity, kWarning);
    EXPECT_EQ(findings[0].line, line_of(std::string(kSound), field));
  }
  // Needed all the same: for the request's data, and for the chain header.
  EXPECT_TRUE(check(kSound, {needs_without(kQh)}).empty());
  EXPECT_TRUE(check(kSound, {needs_without(Phase::response_headers)}).empty());
  Needs needs = needs_without(kQh);
  needs.request_data = false;
  ASSERT_EQ(check(kSound, {needs}).size(), 1U);
  EXPECT_EQ(check(kSound, {needs})[0].rule, rule);
}

TEST(Check, HeadersThatAreMissing) {
  expect_found({"chain-header-not-sent", kWarning, "response_header_mode: SEND",
                "response_header_mode: SKIP", "response_header_mode",
                needs_without(Phase::response_headers)});
  expect_found({"request-data-missing", kWarning, "request_header_mode: SEND",
                "request_header_mode: SKIP", "request_header_mode", needs_without(kQh)});
}

TEST(Check, BodyModes) {
  const Case cases[] = {
      {"body-mode", kWarning, "request_body_mode: BUFFERED", "request_body_mode: STREAMED",
       "request_body_mode"},
      {"body-mode", kWarning, "response_body_mode: BUFFERED",
       "response_body_mode: BUFFERED_PARTIAL", "response_body_mode"},
      {"body-mode", kError, "request_body_mode: BUFFERED", "request_body_mode: STREAMED",
       "request_body_mode", expects(BodyMode::buffered)},
      {"full-duplex-without-trailers", kError,
       "                        request_trailer_mode: SEND\n", "", "request_body_mode", [] {
         Needs needs = needs_without(Phase::request_trailers);
         needs.request_body_mode = BodyMode::full_duplex_streamed;
         return needs;
       }()}};
  for (const Case& one : cases) {
    if (std::string_view(one.rule) == "body-mode") expect_found(one);
  }
  const Case& duplex = cases[3];
  std::string sound = exchange(std::string(kSound), "request_body_mode: BUFFERED",
                               "request_body_mode: FULL_DUPLEX_STREAMED");
  EXPECT_TRUE(check(sound, {duplex.needs}).empty());
  const std::string damaged = exchange(sound, duplex.from, duplex.to);
  const auto findings = check(damaged, {duplex.needs});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, duplex.rule);
  EXPECT_EQ(findings[0].line, line_of(damaged, duplex.line));
}

TEST(Check, AnExpectedBodyModeThatDiffers) {
  const auto findings = check(kSound, {expects(BodyMode::streamed)});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, kError);
  EXPECT_EQ(findings[0].rule, "body-mode");
  EXPECT_EQ(findings[0].line, line_of(std::string(kSound), "request_body_mode"));
}

TEST(Check, ModeOverride) {
  const std::string allowed =
      exchange(std::string(kSound), "failure_mode_allow: false",
               "failure_mode_allow: false\n                      allow_mode_override: true");
  EXPECT_TRUE(check(allowed, {overrides_mode()}).empty());
  const auto refused = check(kSound, {overrides_mode()});
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].rule, "mode-override-not-allowed");
  EXPECT_EQ(refused[0].line, line_of(std::string(kSound), "processing_mode:"));

  const std::string unwaited =
      exchange(allowed, "allow_mode_override: true",
               "allow_mode_override: true\n"
               "                      send_body_without_waiting_for_header_response: true");
  const auto ignored = check(unwaited, {all_needs()});
  ASSERT_EQ(ignored.size(), 1U);
  EXPECT_EQ(ignored[0].rule, "mode-override-ignored");
  EXPECT_EQ(ignored[0].line, line_of(unwaited, "send_body_without"));

  const std::string duplex =
      exchange(allowed, "request_body_mode: BUFFERED", "request_body_mode: FULL_DUPLEX_STREAMED");
  const auto in_duplex = check(duplex, {expects(BodyMode::full_duplex_streamed)});
  ASSERT_EQ(in_duplex.size(), 1U);
  EXPECT_EQ(in_duplex[0].rule, "mode-override-ignored");
  EXPECT_EQ(in_duplex[0].line, line_of(duplex, "allow_mode_override"));
  // With an override a body may be off at first.
  EXPECT_TRUE(check(exchange(allowed, "request_body_mode: BUFFERED", "request_body_mode: NONE"),
                    {overrides_mode()})
                  .empty());
}

TEST(Check, Times) {
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

TEST(Check, TheDefaultMessageTimeoutCounts) {
  const std::string text =
      exchange(exchange(std::string(kSound), "                      message_timeout: 0.5s\n", ""),
               "max_message_timeout: 2s", "max_message_timeout: 0.1s");
  const auto findings = check(text, {all_needs()});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "max-message-timeout-too-short");
}

TEST(Check, TheFilterAsAWhole) {
  const char* flag = "failure_mode_allow: false";
  const Case cases[] = {
      {"failure-mode-not-stated", kWarning, flag, "", "- name: guard\n                    typed"},
      {"immediate-response-disabled", kWarning, flag,
       "failure_mode_allow: false\n                      disable_immediate_response: true",
       "disable_immediate"},
      {"chain-header-denied", kError, "mutation_rules: {}",
       "mutation_rules: { disallow_expression: { regex: 'x-ext-.*' } }", "disallow_expression"},
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

TEST(Check, HeaderRules) {
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

TEST(Check, FailureModeCannotBeKeptInFullDuplex) {
  const Needs needs = expects(BodyMode::full_duplex_streamed);
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

TEST(Check, Observability) {
  const Needs needs = expects(BodyMode::streamed, BodyMode::buffered);
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

TEST(Check, Spelling) {
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

TEST(Check, TheCluster) {
  const char* http2 =
      "http2_protocol_options: { connection_keepalive: { interval: 30s, timeout: 5s } }";
  const char* cluster = "- name: guard\n      typed_ext";
  const char* thresholds = "thresholds: [ { max_requests: 5000, max_pending_requests: 5000 } ]";
  const Case cases[] = {
      {"no-http2", kError, http2, "http_protocol_options: {}", cluster},
      {"no-keepalive", kWarning, http2, "http2_protocol_options: { hpack_table_size: 1 }",
       "http2_protocol_options"},
      {"no-health-check", kWarning, "      health_checks:\n        - grpc_health_check: {}\n", "",
       cluster},
      {"health-check-not-grpc", kWarning, "grpc_health_check: {}", "tcp_health_check: {}",
       "tcp_health_check"},
      {"circuit-breaker", kWarning, thresholds,
       "thresholds: [ { max_requests: 1024, max_pending_requests: 5000 } ]", "thresholds"},
      {"circuit-breaker", kWarning, thresholds, "thresholds: [ { max_requests: 5000 } ]",
       "thresholds"},
      {"circuit-breaker", kWarning, thresholds,
       "thresholds: [ { max_requests: 5000, max_pending_requests: 5000, priority: HIGH }, { "
       "max_requests: 1, max_pending_requests: 5000 } ]",
       "thresholds"},
      {"cluster-missing", kError, "cluster_name: guard }\n                      failure",
       "cluster_name: gard }\n                      failure", "gard"}};
  for (const Case& one : cases) expect_found(one);
}

TEST(Check, Http2IsSaidInSeveralWays) {
  const std::string http2 =
      "http2_protocol_options: { connection_keepalive: { interval: 30s, timeout: 5s } }";
  const std::string old =
      exchange(exchange(std::string(kSound), http2, "http_protocol_options: {}"),
               "      health_checks:", "      " + http2 + "\n      health_checks:");
  EXPECT_TRUE(check(old, {all_needs()}).empty());
  const std::string automatic =
      exchange(std::string(kSound), "explicit_http_config", "auto_config");
  const auto plain = check(automatic, {all_needs()});
  ASSERT_EQ(plain.size(), 1U);
  EXPECT_EQ(plain[0].rule, "no-http2");
  const std::string agreed = exchange(
      automatic,
      "      health_checks:", "      transport_socket: { name: tls }\n      health_checks:");
  EXPECT_TRUE(check(agreed, {all_needs()}).empty());
}

}  // namespace
}  // namespace extproc::envoy_config
