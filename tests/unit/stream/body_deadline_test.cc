// Handlers over a whole body that take too long: more time is asked for, and then what they have
// not answered passes unchanged.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "async_fixture.h"
#include "every_mode.h"

namespace extproc::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using enum Phase;

/// Waits at a gate before each chunk is written in brackets.
struct Slow {
  Gate gates[3];
  std::optional<milliseconds> after;
  std::optional<ImmediateResponse> fallback;
  bool cancelled = false;

  std::shared_ptr<Handlers> service(Phase phase = request_body) {
    auto made = handlers();
    const auto handler = [this](BodyStream& body, Context& context, Request&) -> Task<> {
      if (after) body.response().fall_back_after(*after, fallback);
      std::size_t number = 0;
      while (auto chunk = co_await body.read()) {
        auto& gate = gates[number];
        ++number;
        co_await gate.passed();
        cancelled = context.cancelled();
        body.write("[" + std::string(chunk->body()) + "]");
      }
    };
    if (phase == request_body) {
      made->process<request_body>(handler);
    } else {
      made->process<response_body>(handler);
    }
    return made;
  }
};

AsyncFixture& with_time(AsyncFixture& f, const ProtocolConfiguration& config,
                        milliseconds most = 1s) {
  f.settings.early_end = false;
  f.settings.filter.max_message_timeout = most;
  f.config = config;
  return f;
}

TEST(BodyDeadline, IsExtendedOnceForEachMessage) {
  for (const Phase phase : {request_body, response_body}) {
    Slow slow;
    AsyncFixture f(slow.service(phase));
    with_time(f, kStreamed);
    f.body(phase, "one");
    f.pass(99ms);
    EXPECT_THAT(f.sent, IsEmpty());
    f.pass(1ms);
    f.pass(1h);
    EXPECT_THAT(f.sent, ElementsAre("more-time 1000ms"));
    slow.gates[0].open();
    f.run();
    f.body(phase, "two", true);
    f.pass(100ms);
    const std::string name(to_string(phase));
    EXPECT_THAT(f.sent,
                ElementsAre("more-time 1000ms", name + " body=\"[one]\"", "more-time 1000ms"));
    slow.gates[1].open();
    f.run();
    EXPECT_EQ(f.sent.back(), name + " body=\"[two]\"");
    EXPECT_FALSE(f.wake_time);
    EXPECT_EQ(f.counters.time_extensions.value(), 2U);
  }
}

// Envoy times its last message, and each one anew.
TEST(BodyDeadline, FollowsTheLastMessage) {
  Slow slow;
  AsyncFixture f(slow.service());
  with_time(f, kStreamed);
  f.body(request_body, "one");
  f.pass(60ms);
  f.body(request_body, "two");
  f.pass(99ms);
  EXPECT_THAT(f.sent, IsEmpty());
  f.pass(1ms);
  EXPECT_EQ(f.sent.size(), 1U);
  // An answer stops the timer, though another is owed.
  slow.gates[0].open();
  f.run();
  f.pass(1h);
  EXPECT_EQ(f.sent.size(), 2U);
  // Trailers start it again, for the chunk that is still owed and themselves.
  f.trailers(request_trailers);
  f.pass(100ms);
  EXPECT_EQ(f.sent.back(), "more-time 1000ms");
  slow.gates[1].open();
  f.run();
  EXPECT_EQ(f.sent.back(), "request_trailers");
  EXPECT_FALSE(f.wake_time);
}

TEST(BodyDeadline, IsNoneWhereEnvoyRunsNoTimer) {
  for (const bool observes : {false, true}) {
    Slow slow;
    AsyncFixture f(slow.service());
    with_time(f, observes ? kStreamed : kFullDuplex);
    f.observes = observes;
    f.body(request_body, "one");
    // What takes long there is told in the log.
    EXPECT_EQ(f.wake_time.has_value(), !observes);
    f.pass(1h);
    EXPECT_THAT(f.sent, IsEmpty());
    EXPECT_FALSE(f.wake_time);
    slow.gates[0].open();
  }
}

// Both directions at once, each with its own.
TEST(BodyDeadline, IsThatOfItsDirection) {
  Slow slow;
  Gate headers_gate;
  auto service = slow.service();
  service->process<response_headers>(
      [&](auto&, auto&, auto&, HeadersResponse&) -> Task<> { co_await headers_gate.passed(); });
  AsyncFixture f(service);
  with_time(f, kStreamed);
  f.body(request_body, "one");
  f.pass(50ms);
  f.headers(response_headers);
  f.pass(50ms);
  EXPECT_EQ(f.counters.time_extensions.value(), 1U);
  f.pass(50ms);
  EXPECT_EQ(f.counters.time_extensions.value(), 2U);
  headers_gate.open();
  slow.gates[0].open();
  f.run();
  EXPECT_FALSE(f.wake_time);
}

struct Abandoned {
  const char* name;
  ProtocolConfiguration config;
  bool last;
  std::vector<std::string> answers;
};

const Abandoned kAbandoned[] = {
    {"Buffered", kBuffered, true, {"request_body"}},
    {"Partial", every(BodySendMode::buffered_partial), true, {"request_body"}},
    {"Streamed", kStreamed, false, {"request_body"}},
    {"StreamedLast", kStreamed, true, {"request_body"}},
    {"FullDuplex", kFullDuplex, false, {"request_body streamed=\"one\""}},
    {"FullDuplexLast", kFullDuplex, true, {"request_body streamed=\"one\",end"}},
};

class AbandonedBodies : public ::testing::TestWithParam<Abandoned> {};

TEST_P(AbandonedBodies, PassUnchangedWithAllThatFollows) {
  const Abandoned& tested = GetParam();
  Slow slow;
  slow.after = 50ms;
  AsyncFixture f(slow.service());
  with_time(f, tested.config, 0ms);
  f.body(request_body, "one", tested.last);
  f.pass(49ms);
  EXPECT_THAT(f.sent, IsEmpty());
  f.pass(1ms);
  EXPECT_EQ(f.sent, tested.answers);
  EXPECT_FALSE(f.wake_time);
  ASSERT_EQ(f.violations.size(), 1U);
  EXPECT_EQ(f.violations[0].rule, Rule::answered_too_late);
  EXPECT_EQ(f.violations[0].phase, request_body);
  if (!tested.last) {
    f.body(request_body, "two");
    f.trailers(request_trailers);
    EXPECT_EQ(f.sent.size(), 3U);
    EXPECT_THAT(f.sent[1], ::testing::AnyOf("request_body", "request_body streamed=\"two\""));
    EXPECT_EQ(f.sent[2], "request_trailers");
  }
  const std::size_t sent = f.sent.size();
  slow.gates[0].open();
  f.run();
  EXPECT_TRUE(slow.cancelled);
  EXPECT_EQ(f.sent.size(), sent);
  EXPECT_EQ(f.counters.fallbacks.value(), 1U);
  EXPECT_EQ(f.observer.notes.back(), "< request_body late 50000000");
  f.headers(response_headers);
  EXPECT_EQ(f.sent.back(), "response_headers");
}

TEST_P(AbandonedBodies, CanAnswerTheCaller) {
  Slow slow;
  slow.after = 50ms;
  slow.fallback = ImmediateResponse{.status = 503, .body = "later"};
  AsyncFixture f(slow.service());
  with_time(f, GetParam().config, 0ms);
  f.body(request_body, "one", GetParam().last);
  f.pass(50ms);
  EXPECT_THAT(f.sent, ElementsAre("immediate 503 \"later\""));
  EXPECT_TRUE(f.ended);
  slow.gates[0].open();
  f.run();
  EXPECT_EQ(f.sent_after_end, 0);
  EXPECT_TRUE(f.close());
}

TEST_P(AbandonedBodies, AreNoneWhereTheHandlerIsInTime) {
  Slow slow;
  slow.after = 50ms;
  AsyncFixture f(slow.service());
  with_time(f, GetParam().config, 0ms);
  f.body(request_body, "one", GetParam().last);
  f.pass(49ms);
  slow.gates[0].open();
  f.run();
  EXPECT_FALSE(f.wake_time);
  f.pass(1h);
  EXPECT_EQ(f.counters.fallbacks.value(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Modes, AbandonedBodies, ::testing::ValuesIn(kAbandoned),
                         [](const auto& tested) { return tested.param.name; });

// What was written stays written; the time counts from the chunk that is not answered.
TEST(BodyFallback, KeepsWhatWasAnswered) {
  Slow slow;
  slow.after = 50ms;
  AsyncFixture f(slow.service());
  with_time(f, kStreamed, 0ms);
  f.body(request_body, "one");
  slow.gates[0].open();
  f.run();
  f.pass(1h);
  f.body(request_body, "two");
  f.body(request_body, "three", true);
  f.pass(50ms);
  EXPECT_THAT(f.sent, ElementsAre("request_body body=\"[one]\"", "request_body", "request_body"));
  slow.gates[1].open();
}

// In full duplex nobody waits for a handler that goes on from chunk to chunk.
TEST(BodyFallback, IsNotForAHandlerThatGoesOn) {
  Slow slow;
  slow.after = 50ms;
  AsyncFixture f(slow.service());
  with_time(f, kFullDuplex, 0ms);
  f.body(request_body, "one");
  f.body(request_body, "two", true);
  f.pass(40ms);
  slow.gates[0].open();
  f.run();
  f.pass(40ms);
  EXPECT_EQ(f.counters.fallbacks.value(), 0U);
  f.pass(10ms);
  EXPECT_THAT(f.sent,
              ElementsAre("request_body streamed=\"[one]\"", "request_body streamed=\"two\",end"));
  slow.gates[1].open();
}

// Nothing of a chunk is sent twice when a part of it was written.
TEST(BodyFallback, InFullDuplexLeavesOutWhatWasBegun) {
  Gate gate;
  auto service = handlers();
  service->process<request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    body.response().fall_back_after(50ms);
    const auto chunk = co_await body.read();
    body.write(chunk->body().substr(0, 1));
    co_await gate.passed();
    body.write("lost");
  });
  AsyncFixture f(service);
  with_time(f, kFullDuplex, 0ms);
  f.body(request_body, "one", true);
  f.pass(50ms);
  gate.open();
  f.run();
  EXPECT_THAT(f.sent, ElementsAre("request_body streamed=\"o\"", "request_body streamed=\"\",end"));
}

}  // namespace
}  // namespace extproc::stream
