// What of a direction may come after what: anything else ends the stream as malformed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async_fixture.h"
#include "extproc/chain.h"

namespace extproc::stream {
namespace {

std::shared_ptr<Handlers> handles(const char* name) {
  auto processor = std::make_shared<Handlers>(name);
  processor->process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto&) -> Task<> { co_return; });
  processor->process<Phase::response_body>([](auto&, auto&, auto&, auto&) -> Task<> { co_return; });
  return processor;
}

// Of one direction: Headers, their last message, a Body's chunk, its last, Trailers.
constexpr std::string_view kLetters = "hHbBt";

/// In order, as Envoy's specification of the stream has it, in other words than the library's.
bool in_order(std::string_view messages) {
  std::size_t at = 0;
  const auto next = [&] { return at < messages.size() ? messages[at] : '\0'; };
  if (next() == 'H') return messages.size() == 1;
  if (next() == 'h') ++at;
  while (next() == 'b') ++at;
  if (next() == 'B' || next() == 't') ++at;
  return at == messages.size();
}

void send(AsyncFixture& f, bool request, char letter) {
  const Phase headers = request ? Phase::request_headers : Phase::response_headers;
  const Phase body = request ? Phase::request_body : Phase::response_body;
  if (letter == 'h' || letter == 'H') return f.headers(headers, letter == 'H');
  if (letter == 't')
    return f.trailers(request ? Phase::request_trailers : Phase::response_trailers);
  f.body(body, "x", letter == 'B');
}

/// The number of messages that were taken, each of which wants an answer.
void check(const Service& processor, bool request, bool observes, const std::string& messages) {
  AsyncFixture f(processor);
  f.settings.early_end = false;
  f.observes = observes;
  if (observes) f.config.reset();
  for (const char letter : messages) send(f, request, letter);
  const bool legal = in_order(messages);
  EXPECT_EQ(f.ended, !legal) << messages;
  EXPECT_EQ(f.counters.malformed_messages.value(), legal ? 0U : 1U) << messages;
  if (!legal) {
    EXPECT_EQ(f.status, GrpcStatus::internal) << messages;
    ASSERT_EQ(f.log.size(), 1U) << messages;
    EXPECT_THAT(f.log[0], ::testing::HasSubstr("is out of order")) << messages;
  }
  if (!observes && legal) {
    EXPECT_EQ(f.sent.size(), messages.size()) << messages;
  }
}

template <class Each>
void each_sequence(std::size_t most, const Each& each, const std::string& begun = {}) {
  if (!begun.empty()) each(begun);
  // What follows an illegal message is not looked at.
  if (begun.size() == most || (!begun.empty() && !in_order(begun))) return;
  for (const char letter : kLetters) each_sequence(most, each, begun + letter);
}

TEST(Order, EachSequenceOfADirectionIsTakenOrEndsTheStream) {
  const auto one = handles("one");
  const auto two = handles("two");
  const Service alone(one);
  const Service chain(std::make_shared<Chain>(std::vector<Service>{one, two}));
  int sequences = 0;
  each_sequence(4, [&](const std::string& messages) {
    ++sequences;
    for (const bool request : {true, false}) {
      for (const bool observes : {true, false}) {
        check(alone, request, observes, messages);
        check(chain, request, observes, messages);
      }
    }
  });
  EXPECT_GT(sequences, 60);
}

// gRPC's bodies end with a flag of their own.
TEST(Order, ABodyEndsWithoutAMessage) {
  AsyncFixture f(handles("Test"));
  f.config = ProtocolConfiguration{BodySendMode::grpc, BodySendMode::none, true};
  f.settings.early_end = false;
  f.body(Phase::request_body, "x", false);
  f.body(Phase::request_body, "", false, {.end_of_stream_without_message = true});
  EXPECT_FALSE(f.ended);
  f.body(Phase::request_body, "x", false);
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(f.counters.malformed_messages.value(), 1U);
}

// The directions do not wait for each other.
TEST(Order, DirectionsInterleave) {
  AsyncFixture f(handles("Test"));
  f.settings.early_end = false;
  for (const char letter : std::string_view("hbbt")) {
    send(f, false, letter);
    send(f, true, letter);
  }
  EXPECT_FALSE(f.ended);
  EXPECT_EQ(f.sent.size(), 8U);
}

// A message that is out of order while a handler waits ends the stream at once or in its turn; the
// handler's answer goes nowhere.
TEST(Order, BehindAHandlerThatWaits) {
  Gate gate;
  auto service = handlers();
  service->process<Phase::request_headers>(
      [&](auto&, auto&, auto&, auto&) -> Task<> { co_await gate.passed(); });
  AsyncFixture f(service);
  f.settings.early_end = false;
  f.headers(Phase::request_headers);
  f.headers(Phase::request_headers);
  gate.open();
  f.run();
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(f.status, GrpcStatus::internal);
  EXPECT_EQ(f.sent.size(), 1U);
  EXPECT_EQ(f.counters.malformed_messages.value(), 1U);
}

}  // namespace
}  // namespace extproc::stream
