// What a filter keeps or allows, beside what processors do and their server is told.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "check_base.h"
#include "envoy/check/check.h"

namespace extproc::envoy_config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// kSound with another body mode for requests, and fields of the filter's own.
std::string sound_with(std::string_view mode, std::string_view fields) {
  return exchange(exchange(std::string(kSound), "request_body_mode: BUFFERED",
                           "request_body_mode: " + std::string(mode)),
                  "mutation_rules: {}", fields);
}

Needs needs_of(BodySendMode mode) { return expects(mode); }

std::vector<Finding> checked_as_told(const std::string& config, const Needs& needs) {
  std::vector<Finding> found;
  for (Finding& finding : check(config, {needs}))
    if (finding.rule.starts_with("content-length-") || finding.rule == "override-modes-differ" ||
        finding.rule == "mode-override-not-allowed")
      found.push_back(std::move(finding));
  return found;
}

TEST(CheckTold, AContentLengthThatIsKept) {
  constexpr std::string_view kKept = "allow_content_length_header: true";
  for (const BodySendMode mode : kBodyModes) {
    for (const bool sent : {true, false}) {
      SCOPED_TRACE(std::string(to_string(mode)) + (sent ? "" : " without headers"));
      std::string config = sound_with(to_string(mode), kKept);
      if (!sent)
        config = exchange(config, "request_header_mode: SEND", "request_header_mode: SKIP");
      const auto findings = checked_as_told(config, needs_of(mode));
      const bool none = mode == BodySendMode::none || (mode == BodySendMode::buffered && sent);
      ASSERT_EQ(findings.size(), none ? 0U : 1U);
      if (none) continue;
      const Finding& finding = findings[0];
      EXPECT_EQ(finding.severity, sent ? kWarning : kError);
      EXPECT_EQ(finding.line, line_of(config, kKept));
      for (const std::string& part : {std::string("allow_content_length_header"),
                                      std::string("request_body"), std::string(to_string(mode))})
        EXPECT_THAT(finding.what, HasSubstr(part));
      EXPECT_THAT(finding.mend,
                  HasSubstr(sent ? "request_body_mode: NONE" : "request_header_mode: SEND"));
    }
  }
  // Of a body that nobody handles it is nobody's business, nor where it is not kept.
  EXPECT_TRUE(
      checked_as_told(sound_with("STREAMED", kKept), needs_without(Phase::request_body)).empty());
  EXPECT_TRUE(
      checked_as_told(sound_with("STREAMED", "mutation_rules: {}"), expects(BodySendMode::streamed))
          .empty());
}

TEST(CheckTold, AContentLengthThatNothingRemovesAndWhatTheServerIsTold) {
  const std::string config = exchange(sound_with("STREAMED", "allow_content_length_header: true"),
                                      "request_header_mode: SEND", "request_header_mode: SKIP");
  Needs needs = needs_of(BodySendMode::streamed);
  const auto untold = checked_as_told(config, needs);
  ASSERT_EQ(untold.size(), 1U);
  EXPECT_THAT(untold[0].what, HasSubstr("the next message"));
  EXPECT_THAT(untold[0].mend, HasSubstr("serve with --allow-content-length-header"));
  needs.filter.allow_content_length_header = true;
  const auto told = checked_as_told(config, needs);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].severity, kError);
  EXPECT_THAT(told[0].what, HasSubstr("the stream fails"));
  EXPECT_THAT(told[0].mend, Not(HasSubstr("serve with")));
}

TEST(CheckTold, AContentLengthThatTheFilterDoesNotKeep) {
  Needs needs = needs_of(BodySendMode::streamed);
  needs.filter.allow_content_length_header = true;
  for (const bool sent : {true, false}) {
    std::string config = sound_with("STREAMED", "allow_content_length_header: false");
    if (!sent) config = exchange(config, "request_header_mode: SEND", "request_header_mode: SKIP");
    const auto findings = checked_as_told(config, needs);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].rule, "content-length-not-kept");
    EXPECT_EQ(findings[0].severity, sent ? kWarning : kError);
    EXPECT_EQ(findings[0].line, line_of(config, "allow_content_length_header"));
    EXPECT_THAT(findings[0].what, HasSubstr("--allow-content-length-header"));
  }
  EXPECT_TRUE(checked_as_told(sound_with("STREAMED", "allow_content_length_header: true"),
                              needs_without(Phase::request_body))
                  .empty());
}

TEST(CheckTold, AContentLengthThatIsKeptWhereARouteStreams) {
  const std::string config =
      exchange(sound_with("BUFFERED", "allow_content_length_header: true"), "disabled: true",
               "overrides: { processing_mode: { request_body_mode: STREAMED, "
               "request_header_mode: SKIP, response_body_mode: BUFFERED, "
               "request_trailer_mode: SEND, response_trailer_mode: SEND } }");
  const auto findings = checked_as_told(config, all_needs());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, kError);
}

Needs told(std::vector<ModeOverride> modes) {
  Needs needs = all_needs();
  needs.filter.allow_mode_override = true;
  needs.filter.allowed_override_modes = std::move(modes);
  return needs;
}

TEST(CheckTold, OverridesThatTheServerIsToldOf) {
  const auto refused = checked_as_told(std::string(kSound), told({}));
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].rule, "mode-override-not-allowed");
  EXPECT_EQ(refused[0].severity, kError);
  EXPECT_THAT(refused[0].what, HasSubstr("--allow-mode-override"));

  constexpr std::string_view kAny = "allow_mode_override: true";
  EXPECT_TRUE(checked_as_told(sound_with("BUFFERED", kAny), told({})).empty());
  // The server asks for less than it may.
  EXPECT_TRUE(checked_as_told(sound_with("BUFFERED", kAny),
                              told({{.request_body_mode = BodySendMode::none}}))
                  .empty());
}

TEST(CheckTold, TheModesThatOverridesMayChoose) {
  const std::string config = sound_with(
      "BUFFERED",
      "allow_mode_override: true\n                      allowed_override_modes: "
      "[{request_body_mode: STREAMED}, {response_trailer_mode: SEND, request_header_mode: SKIP}]");
  const ModeOverride streamed{.request_body_mode = BodySendMode::streamed};
  const ModeOverride trailers{.response_body_mode = BodySendMode::none,
                              .response_trailer_mode = HeaderSendMode::send};
  EXPECT_TRUE(checked_as_told(config, told({trailers, streamed})).empty());
  const auto untold = checked_as_told(config, told({}));
  ASSERT_EQ(untold.size(), 1U);
  EXPECT_EQ(untold[0].rule, "override-modes-differ");
  EXPECT_EQ(untold[0].severity, kWarning);
  const auto others = checked_as_told(config, told({streamed}));
  ASSERT_EQ(others.size(), 1U);
  EXPECT_EQ(others[0].severity, kError);
  EXPECT_THAT(others[0].mend, HasSubstr("--allowed-override-mode request_body_mode=STREAMED"));
  // Nobody overrides.
  EXPECT_TRUE(checked_as_told(config, all_needs()).empty());
}

TEST(CheckTold, AnOverrideIsReadAsItIsWritten) {
  for (const char* text :
       {"request_body_mode=BUFFERED", "response_trailer_mode=SEND,response_body_mode=NONE",
        "request_header_mode=SEND,response_header_mode=SKIP"}) {
    const auto mode = parse_override(text);
    ASSERT_TRUE(mode) << text;
    EXPECT_EQ(to_string(*mode), text);
  }
  for (const char* wrong : {"", ",", "=", "request_body_mode", "request_body_mode=",
                            "request_body_mode=SEND", "body=NONE", "request_body_mode=NONE,"})
    EXPECT_FALSE(parse_override(wrong)) << wrong;
}

}  // namespace
}  // namespace extproc::envoy_config
