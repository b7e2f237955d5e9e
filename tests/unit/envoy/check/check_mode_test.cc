#include <gmock/gmock.h>

#include "check_base.h"
#include "envoy/check/check.h"

namespace extproc::envoy_config {
namespace {

constexpr Phase kQh = Phase::request_headers;
constexpr Phase kQb = Phase::request_body;
constexpr Phase kSb = Phase::response_body;

Needs overrides_mode() {
  Needs needs = all_needs();
  needs.filter.allow_mode_override = true;
  return needs;
}

TEST(CheckMode, NothingIsFoundInASoundConfiguration) {
  EXPECT_TRUE(check(kSound, {all_needs()}).empty());
}

TEST(CheckMode, PhasesThatAreNotSent) {
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

TEST(CheckMode, HeadersAreSentByDefault) {
  for (const char* field : {"request_header_mode: SEND", "response_header_mode: SEND"}) {
    EXPECT_TRUE(check(exchange(std::string(kSound), field, ""), {all_needs()}).empty()) << field;
  }
}

TEST(CheckMode, WithoutAProcessingModeTheFilterIsPointedAt) {
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

TEST(CheckMode, PhasesThatAreNotHandled) {
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

TEST(CheckMode, HeadersThatAreMissing) {
  expect_found({"chain-header-not-sent", kWarning, "response_header_mode: SEND",
                "response_header_mode: SKIP", "response_header_mode",
                needs_without(Phase::response_headers)});
  expect_found({"request-data-missing", kWarning, "request_header_mode: SEND",
                "request_header_mode: SKIP", "request_header_mode", needs_without(kQh)});
}

TEST(CheckMode, BodyModes) {
  const Case cases[] = {
      {"body-mode", kWarning, "request_body_mode: BUFFERED", "request_body_mode: STREAMED",
       "request_body_mode"},
      {"body-mode", kWarning, "response_body_mode: BUFFERED",
       "response_body_mode: BUFFERED_PARTIAL", "response_body_mode"},
      {"body-mode", kError, "request_body_mode: BUFFERED", "request_body_mode: STREAMED",
       "request_body_mode", expects(BodySendMode::buffered)},
      {"full-duplex-without-trailers", kError,
       "                        request_trailer_mode: SEND\n", "", "request_body_mode", [] {
         Needs needs = needs_without(Phase::request_trailers);
         needs.request_body_mode = BodySendMode::full_duplex_streamed;
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

TEST(CheckMode, AnExpectedBodyModeThatDiffers) {
  const auto findings = check(kSound, {expects(BodySendMode::streamed)});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, kError);
  EXPECT_EQ(findings[0].rule, "body-mode");
  EXPECT_EQ(findings[0].line, line_of(std::string(kSound), "request_body_mode"));
}

TEST(CheckMode, AHandlerOverTheWholeBody) {
  Needs whole = all_needs();
  whole.whole = {kQb, kSb};
  const auto rules_in = [&](std::string_view mode, const Needs& needs, std::string_view more = "") {
    std::string text = exchange(std::string(kSound), "response_body_mode: BUFFERED",
                                "response_body_mode: " + std::string(mode));
    text = exchange(text, "request_body_mode: BUFFERED", "request_body_mode: STREAMED");
    text = exchange(text, "mutation_rules: {}", "mutation_rules: {}" + std::string(more));
    std::vector<std::string> rules;
    for (const Finding& finding : check(text, {needs}))
      rules.push_back(finding.rule + (finding.severity == kError ? "!" : ""));
    return rules;
  };
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  for (const char* mode : {"STREAMED", "FULL_DUPLEX_STREAMED"})
    EXPECT_THAT(rules_in(mode, whole), IsEmpty()) << mode;
  for (const char* mode : {"BUFFERED", "BUFFERED_PARTIAL"})
    EXPECT_THAT(rules_in(mode, whole), ElementsAre("body-held")) << mode;
  EXPECT_THAT(rules_in("NONE", whole), ElementsAre("phase-not-sent!"));
  // Of its own choice, and perhaps for some requests only.
  Needs chosen = whole;
  chosen.response_body_mode = BodySendMode::buffered;
  EXPECT_THAT(rules_in("BUFFERED", chosen), IsEmpty());
  EXPECT_THAT(rules_in("STREAMED", chosen), ElementsAre("body-mode!"));
  EXPECT_THAT(rules_in("BUFFERED", whole, "\n                      allow_mode_override: true"),
              IsEmpty());
  // One of messages beside it in a chain.
  Needs mixed = whole;
  mixed.whole = {kQb};
  EXPECT_THAT(rules_in("STREAMED", mixed), ElementsAre("body-mode"));
}

TEST(CheckMode, AHandlerOverTheWholeBodyNeedsWhatItsModeNeeds) {
  // Alone, and without the request's data: STREAMED brings no headers and trailers along.
  const Needs needs{.name = "Whole", .handled = {kSb}, .whole = {kSb}, .request_data = false};
  std::string text = exchange(std::string(kSound), "request_body_mode: BUFFERED", "");
  for (const char* skipped : {"request_header", "response_header", "request_trailer"}) {
    text =
        exchange(text, skipped + std::string("_mode: SEND"), skipped + std::string("_mode: SKIP"));
  }
  text = exchange(text, "response_body_mode: BUFFERED", "response_body_mode: STREAMED");
  const auto findings =
      check(exchange(text, "response_trailer_mode: SEND", "response_trailer_mode: SKIP"), {needs});
  EXPECT_TRUE(findings.empty()) << findings[0].rule;
  const auto off = check(exchange(text, "response_body_mode: STREAMED", ""), {needs});
  ASSERT_FALSE(off.empty());
  EXPECT_THAT(
      off[0].mend,
      ::testing::HasSubstr("response_body_mode: FULL_DUPLEX_STREAMED and response_trailer_mode"));
}

TEST(CheckMode, ModeOverride) {
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
  const auto in_duplex = check(duplex, {expects(BodySendMode::full_duplex_streamed)});
  ASSERT_EQ(in_duplex.size(), 1U);
  EXPECT_EQ(in_duplex[0].rule, "mode-override-ignored");
  EXPECT_EQ(in_duplex[0].line, line_of(duplex, "allow_mode_override"));
  // With an override a body may be off at first.
  EXPECT_TRUE(check(exchange(allowed, "request_body_mode: BUFFERED", "request_body_mode: NONE"),
                    {overrides_mode()})
                  .empty());
}

TEST(Check, HeadersThatWaitForTheirBody) {
  Needs waits = expects(BodySendMode::streamed);
  waits.stated.request_headers_wait_for_body = true;
  const std::string streamed =
      exchange(std::string(kSound), "request_body_mode: BUFFERED", "request_body_mode: STREAMED");
  const auto found = check(streamed, {waits});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rule, "headers-cannot-wait");
  EXPECT_TRUE(check(exchange(streamed, "failure_mode_allow: false",
                             "failure_mode_allow: false\n                      "
                             "send_body_without_waiting_for_header_response: true"),
                    {waits})
                  .empty());
}

}  // namespace
}  // namespace extproc::envoy_config
