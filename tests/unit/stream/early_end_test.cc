// When a stream ends by itself, so that Envoy goes on alone: behind which message, or never.

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "stream_fixture.h"

namespace extproc::stream {
namespace {

using enum Phase;

struct Came {
  Phase phase;
  bool end_of_stream = false;
};

struct Row {
  const char* name;
  PhaseSet handled;
  const char* chain;
  std::optional<ProtocolConfiguration> config;
  std::vector<Came> messages;
  /// The message behind which it ends, from 1; 0: none.
  std::size_t ends_after;
};

constexpr BodySendMode kNone = BodySendMode::none;
constexpr ProtocolConfiguration bodies(BodySendMode request, BodySendMode response) {
  return {request, response, false};
}
constexpr ProtocolConfiguration kNoBodies = bodies(kNone, kNone);
constexpr ProtocolConfiguration kBuffered = bodies(BodySendMode::buffered, BodySendMode::buffered);
constexpr ProtocolConfiguration kPartial = bodies(BodySendMode::buffered_partial, kNone);
constexpr ProtocolConfiguration kStreamed = bodies(BodySendMode::streamed, BodySendMode::streamed);
constexpr ProtocolConfiguration kDuplexRequest = bodies(BodySendMode::full_duplex_streamed, kNone);
constexpr ProtocolConfiguration kDuplexResponse = bodies(kNone, BodySendMode::full_duplex_streamed);
constexpr ProtocolConfiguration kGrpc = bodies(BodySendMode::grpc, kNone);

const Row kRows[] = {
    {"OnlyRequestHeaders", {request_headers}, "", kNoBodies, {{request_headers}}, 1},
    {"ChainWaitsForTheResponse",
     {request_headers},
     "x-chain",
     kNoBodies,
     {{request_headers}, {response_headers}},
     2},
    {"NothingIsHandled", {}, "", kNoBodies, {{request_headers}}, 1},
    {"NothingButTheChain", {}, "x-chain", kNoBodies, {{request_headers}, {response_headers}}, 2},
    {"ResponseHeaders",
     {response_headers},
     "",
     kNoBodies,
     {{request_headers, true}, {response_headers}},
     2},
    {"ABodyThatIsNotSent", {request_headers, request_body}, "", kNoBodies, {{request_headers}}, 1},
    {"ABodyThatDoesNotExist", {request_body}, "", kBuffered, {{request_headers, true}}, 1},
    {"ABufferedBody", {request_body}, "", kBuffered, {{request_headers}, {request_body, true}}, 2},
    {"ABufferedBodyBeforeTrailers",
     {request_body},
     "",
     kBuffered,
     {{request_headers}, {request_body, false}, {request_trailers}},
     2},
    {"APartOfABody", {request_body}, "", kPartial, {{request_headers}, {request_body, false}}, 2},
    {"AStreamedBody",
     {request_body},
     "",
     kStreamed,
     {{request_headers}, {request_body}, {request_body}, {request_body, true}},
     4},
    {"AStreamedBodyBeforeTrailers",
     {request_body},
     "",
     kStreamed,
     {{request_headers}, {request_body}, {request_trailers}},
     3},
    {"TrailersThatMayCome",
     {request_trailers},
     "",
     kNoBodies,
     {{request_headers}, {response_headers}, {response_trailers}},
     0},
    {"TrailersThatCannot", {request_trailers}, "", kNoBodies, {{request_headers, true}}, 1},
    {"TrailersThatCame",
     {request_trailers},
     "",
     kNoBodies,
     {{request_headers}, {request_trailers}},
     2},
    {"RequestHeadersAfterALocalReply", {request_headers}, "", kNoBodies, {{response_headers}}, 1},
    {"TheOtherDirectionFirst",
     {request_headers, request_body},
     "",
     kBuffered,
     {{request_headers}, {response_headers, true}, {request_body, true}},
     3},
    {"BothBodies",
     {request_body, response_body},
     "",
     kBuffered,
     {{request_headers}, {response_headers}, {response_body, true}, {request_body, true}},
     4},
    {"ResponseHeadersThatWereSkipped",
     {response_headers},
     "",
     kStreamed,
     {{request_headers, true}, {response_body}},
     2},
    {"FullDuplexRequest",
     {request_headers},
     "",
     kDuplexRequest,
     {{request_headers}, {request_body, true}},
     0},
    {"FullDuplexResponse", {request_headers}, "", kDuplexResponse, {{request_headers, true}}, 0},
    {"Grpc", {request_headers}, "", kGrpc, {{request_headers, true}}, 0},
    {"AConfigurationThatIsNotKnown",
     {request_headers},
     "",
     std::nullopt,
     {{request_headers, true}, {response_headers, true}},
     0},
};

/// Plays a row; gives the message behind which the stream ended.
std::size_t play(const Row& row, bool early_end = true, bool observes = false,
                 Handler handler = nothing) {
  Fixture f(std::move(handler), row.handled, false, row.chain);
  f.settings.early_end = early_end;
  std::size_t sent = 0;
  for (const auto& [phase, end_of_stream] : row.messages) {
    const testing::MessageExtras extras{
        observes, sent == 0 && row.config && !observes ? &*row.config : nullptr};
    const bool body = phase == request_body || phase == response_body;
    const bool headers = phase == request_headers || phase == response_headers;
    f.stream.on_message(headers ? testing::write_headers(phase, {}, end_of_stream, extras)
                        : body  ? testing::write_body(phase, "x", end_of_stream, extras)
                                : testing::write_trailers(phase, {}, extras));
    ++sent;
    EXPECT_EQ(f.sink.answers.size(), observes ? 0U : sent);
    if (f.sink.finished) {
      EXPECT_EQ(f.sink.status, GrpcStatus::ok);
      EXPECT_EQ(f.counters.early_ends.value(), 1U);
      return sent;
    }
  }
  EXPECT_EQ(f.counters.early_ends.value(), 0U);
  return 0;
}

class EarlyEnd : public ::testing::TestWithParam<Row> {};

TEST_P(EarlyEnd, ComesBehindTheLastPhaseThatMatters) {
  EXPECT_EQ(play(GetParam()), GetParam().ends_after);
}
TEST_P(EarlyEnd, CanBeSwitchedOff) { EXPECT_EQ(play(GetParam(), false), 0U); }
TEST_P(EarlyEnd, DoesNotComeWhereItOnlyObserves) { EXPECT_EQ(play(GetParam(), true, true), 0U); }

INSTANTIATE_TEST_SUITE_P(Table, EarlyEnd, ::testing::ValuesIn(kRows),
                         [](const auto& tested) { return tested.param.name; });

TEST(EarlyEnds, AReplacedMessageHasNoBodyToWaitFor) {
  const Row row{"", {request_headers, request_body}, "", kStreamed, {{request_headers}}, 1};
  EXPECT_EQ(play(row, true, false,
                 [](detail::Invocation& i) {
                   i.headers_response->continue_and_replace("body");
                   return detail::Step::done;
                 }),
            1U);
}

// What is asked for may be refused, so that either mode must be reckoned with.
TEST(EarlyEnds, AnOverrideMakesABodyPossible) {
  const auto ask_for = [](BodySendMode mode) {
    return [mode](detail::Invocation& i) {
      if (i.phase == request_headers)
        i.headers_response->override_mode({.request_body_mode = mode});
      return detail::Step::done;
    };
  };
  const Row more{"",        {request_headers, request_body},           "",
                 kNoBodies, {{request_headers}, {request_body, true}}, 2};
  EXPECT_EQ(play(more, true, false, ask_for(BodySendMode::buffered)), 2U);
  const Row fewer{"",        {request_headers, request_body},           "",
                  kBuffered, {{request_headers}, {request_body, true}}, 2};
  EXPECT_EQ(play(fewer, true, false, ask_for(BodySendMode::none)), 2U);
}

TEST(EarlyEnds, WaitForAHandlerThatRuns) {
  detail::Completion* completion = nullptr;
  Fixture f(
      [&](detail::Invocation& i) {
        completion = i.completion;
        return detail::Step::pending;
      },
      {request_headers}, true);
  f.headers(request_headers, {}, &kNoBodies);
  EXPECT_FALSE(f.sink.finished);
  completion->complete(nullptr);
  EXPECT_TRUE(f.sink.finished);
  EXPECT_EQ(f.sink.answers.size(), 1U);
}

}  // namespace
}  // namespace extproc::stream
