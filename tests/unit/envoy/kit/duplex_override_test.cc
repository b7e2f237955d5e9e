// Overrides of the mode to FULL_DUPLEX_STREAMED, for each response.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <memory>
#include <optional>
#include <string>

#include "extproc/async.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"

namespace extproc {
namespace {

using testing::EnvoyResult;
using ::testing::HasSubstr;

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

/// JSON in one piece, events as they come. `whole`: with a handler over the whole body.
Service choose(bool whole) {
  auto handlers = std::make_shared<Handlers>("Choose");
  handlers->process<Phase::response_headers>([](auto& headers, auto&, auto&, HeadersResponse& r) {
    if (headers.value("content-type") == "text/event-stream")
      r.override_mode({.response_body_mode = BodySendMode::full_duplex_streamed});
  });
  if (whole) {
    handlers->process<Phase::response_body>([](BodyStream& body, Context&, Request&) -> Task<> {
      for (auto chunk = co_await body.read(); chunk; chunk = co_await body.read()) {
        body.write(upper(chunk->bytes()));
      }
    });
  } else {
    handlers->process<Phase::response_body>(
        [](auto& body, auto&, auto&, BodyResponse& r) { r.replace_body(upper(body.bytes())); });
  }
  return Service(handlers);
}

EnvoyResult play(const std::string& filter, bool whole, const char* type, bool trailers,
                 testing::Pacing pacing) {
  testing::Exchange exchange{
      .upstream = {.headers = {{":status", "200"}, {"content-type", type}}, .body = {"one", "two"}},
      .upstream_pacing = pacing};
  if (trailers) {
    exchange.upstream.trailers = testing::HeaderList{{"x-t", "1"}};
  } else {
    exchange.upstream.headers.emplace_back("content-length", "6");
  }
  return testing::Envoy("{processing_mode: {response_body_mode: BUFFERED}" + filter + "}")
      .run(choose(whole), exchange);
}

std::size_t bodies_sent(const EnvoyResult& result) {
  // Besides the headers of both directions.
  return result.statistic("stream_msgs_sent") - 2;
}

TEST(DuplexOverride, IsForOneResponse) {
  for (const bool whole : {false, true}) {
    for (const bool trailers : {false, true}) {
      for (const auto pacing : {testing::Pacing::one_by_one, testing::Pacing::together}) {
        SCOPED_TRACE(std::string(whole ? "whole " : "") + (trailers ? "trailers " : "") +
                     (pacing == testing::Pacing::together ? "together" : ""));
        const auto events =
            play(", allow_mode_override: true", whole, "text/event-stream", trailers, pacing);
        EXPECT_TRUE(events.violations.empty());
        EXPECT_TRUE(events.refusals.empty()) << events.refusals[0].text;
        EXPECT_EQ(events.caller.body, "ONETWO");
        EXPECT_TRUE(events.caller.complete);
        EXPECT_EQ(events.caller.trailers.has_value(), trailers);
        EXPECT_EQ(events.caller_header("content-length"), nullptr);
        EXPECT_EQ(events.mode_overrides.size(), 1U);
        if (pacing == testing::Pacing::one_by_one) {
          EXPECT_GE(bodies_sent(events), 2U);
        }

        const auto json =
            play(", allow_mode_override: true", whole, "application/json", trailers, pacing);
        EXPECT_EQ(json.caller.body, "ONETWO");
        EXPECT_TRUE(json.mode_overrides.empty());
      }
    }
  }
}

TEST(DuplexOverride, IsNotSentWhereTheFilterIsNotKnownToAllowIt) {
  const auto result = play("", true, "text/event-stream", false, testing::Pacing::one_by_one);
  EXPECT_EQ(result.caller.body, "ONETWO");
  ASSERT_EQ(result.violations.size(), 1U);
  EXPECT_EQ(result.violations[0].rule, Rule::full_duplex_override);
  EXPECT_THAT(result.violations[0].text, HasSubstr("allow_mode_override"));
  EXPECT_THAT(result.violations[0].text, HasSubstr("STREAMED"));
  EXPECT_TRUE(result.refusals.empty());
}

TEST(DuplexOverride, IsComparedWithTheModesThatTheFilterAllows) {
  const auto with = [](const char* mode) {
    return play(std::string(", allow_mode_override: true, allowed_override_modes: [{") + mode +
                    "}, {response_body_mode: STREAMED}]",
                true, "text/event-stream", false, testing::Pacing::one_by_one);
  };
  const auto allowed =
      with("response_body_mode: FULL_DUPLEX_STREAMED, response_trailer_mode: SEND");
  EXPECT_TRUE(allowed.violations.empty());
  EXPECT_TRUE(allowed.refusals.empty()) << allowed.refusals[0].text;
  EXPECT_EQ(allowed.mode_overrides.size(), 1U);
  const auto refused = with("response_body_mode: BUFFERED");
  ASSERT_EQ(refused.violations.size(), 1U);
  EXPECT_EQ(refused.violations[0].rule, Rule::mode_override);
  EXPECT_TRUE(refused.refusals.empty());
  EXPECT_EQ(refused.caller.body, "ONETWO");
}

// Envoy goes by how the filter is set up, and not by what it was overridden to.
TEST(DuplexOverride, CanBeFollowedByAnother) {
  auto handlers = std::make_shared<Handlers>("P");
  handlers->process<Phase::request_headers>([](auto&, auto&, auto&, HeadersResponse& r) {
    r.override_mode({.request_body_mode = BodySendMode::full_duplex_streamed});
  });
  handlers->process<Phase::response_headers>([](auto&, auto&, auto&, HeadersResponse& r) {
    r.override_mode({.response_body_mode = BodySendMode::streamed});
  });
  handlers->process<Phase::response_body>(
      [](auto& body, auto&, auto&, BodyResponse& r) { r.replace_body(upper(body.bytes())); });
  const auto result =
      testing::Envoy("allow_mode_override: true")
          .run(Service(handlers), {.request = {.headers = {{":method", "POST"}}, .body = {"a"}},
                                   .upstream = {.body = {"one", "two"}}});
  EXPECT_TRUE(result.violations.empty());
  EXPECT_TRUE(result.refusals.empty()) << result.refusals[0].text;
  EXPECT_EQ(result.mode_overrides.size(), 2U);
  EXPECT_EQ(result.upstream.body, "a");
  EXPECT_EQ(result.caller.body, "ONETWO");
}

}  // namespace
}  // namespace extproc
