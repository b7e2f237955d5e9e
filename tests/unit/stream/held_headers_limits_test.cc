// How long the answer to headers waits for the handler over the body, and for how many bytes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "held_headers.h"

namespace extproc::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using enum Phase;

// A handler that waits is told.
TEST(HeldHeaders, GoUnchangedOverTheLimitOfBytes) {
  for (const auto& config : kHolding) {
    bool cancelled = false;
    AsyncFixture f(Holding{.handler = [&](BodyStream& body, Context& context, auto&) -> Task<> {
                     try {
                       while (auto chunk = co_await body.read())
                         body.response().set_header("b", "1");
                     } catch (const boost::system::system_error&) {
                       cancelled = context.cancelled();
                     }
                   }}.service());
    f.config = config;
    f.settings.held_bytes = 1'000;
    f.headers(request_headers);
    f.body(request_body, std::string(400, 'x'));
    EXPECT_THAT(f.sent, IsEmpty());
    f.body(request_body, std::string(600, 'y'));
    const std::string x = duplex(config) ? " streamed=\"" + std::string(400, 'x') + "\"" : "";
    const std::string y = duplex(config) ? " streamed=\"" + std::string(600, 'y') + "\"" : "";
    EXPECT_THAT(f.sent,
                ElementsAre("request_headers set a=1", "request_body" + x, "request_body" + y));
    EXPECT_TRUE(cancelled);
    f.body(request_body, "z", true);
    EXPECT_EQ(f.sent.back(), duplex(config) ? "request_body streamed=\"z\",end" : "request_body");
    ASSERT_EQ(f.violations.size(), 1U);
    EXPECT_EQ(f.violations[0].rule, Rule::body_awaited_too_long);
    EXPECT_EQ(f.violations[0].phase, request_headers);
    EXPECT_EQ(f.violations[0].field, "held_bytes_per_stream");
    EXPECT_EQ(f.counters.fallbacks.value(), 1U);
  }
}

TEST(HeldHeaders, AreReplacedOverTheLimitWhereTheProcessorSaysSo) {
  for (const bool by_time : {false, true}) {
    AsyncFixture f(Holding{.otherwise = form_immediate_response(413)}.service());
    f.config = kFullDuplex;
    f.settings.held_bytes = 1'000;
    f.settings.held_time = 3s;
    f.headers(request_headers);
    f.body(request_body, "some");
    by_time ? f.pass(3s) : f.body(request_body, std::string(1'000, 'x'));
    EXPECT_THAT(f.sent, ElementsAre("immediate 413"));
    EXPECT_TRUE(f.ended);
    EXPECT_EQ(f.status, GrpcStatus::ok);
    EXPECT_THAT(rules_told(f), ElementsAre(Rule::body_awaited_too_long));
  }
}

TEST(HeldHeaders, GoUnchangedAfterTheirTime) {
  for (const int chunks : {0, 1, 2}) {
    AsyncFixture f(Holding().service());
    f.config = kFullDuplex;
    f.settings.held_time = 3s;
    f.headers(request_headers);
    std::vector<std::string> sent{"request_headers set a=1"};
    for (int i = 0; i < chunks; ++i) {
      f.body(request_body, "one");
      sent.emplace_back("request_body streamed=\"one\"");
    }
    f.pass(2'999ms);
    EXPECT_THAT(f.sent, IsEmpty());
    f.pass(1ms);
    EXPECT_EQ(f.sent, sent);
    EXPECT_FALSE(f.wake_time);
    ASSERT_EQ(f.violations.size(), 1U);
    EXPECT_EQ(f.violations[0].field, "held_time");
    f.body(request_body, "two!", true);
    EXPECT_EQ(f.sent.back(), "request_body streamed=\"two!\",end");
    EXPECT_EQ(f.violations.size(), 1U);
  }
}

// Envoy times each chunk anew.
TEST(HeldHeaders, GoInTimeWhereEnvoyRunsATimer) {
  AsyncFixture f(Holding().service());
  f.config = kWithoutWaiting;
  f.headers(request_headers);
  for (int i = 0; i < 3; ++i) {
    f.pass(159ms);
    EXPECT_THAT(f.sent, IsEmpty()) << i;
    f.body(request_body, "one");
  }
  f.pass(159ms);
  EXPECT_THAT(f.sent, IsEmpty());
  f.pass(1ms);
  EXPECT_THAT(f.sent, ElementsAre("request_headers set a=1", "request_body", "request_body",
                                  "request_body"));
  ASSERT_EQ(f.violations.size(), 1U);
  EXPECT_EQ(f.violations[0].field, "message_timeout");
  EXPECT_FALSE(f.wake_time);
}

TEST(HeldHeaders, AskForTimeOncePerMessage) {
  AsyncFixture f(Holding().service());
  f.config = kWithoutWaiting;
  f.settings.filter.max_message_timeout = 1s;
  f.headers(request_headers);
  f.pass(100ms);
  EXPECT_THAT(f.sent, ElementsAre("more-time 1000ms"));
  f.body(request_body, "one");
  f.pass(100ms);
  EXPECT_THAT(f.sent, ElementsAre("more-time 1000ms", "more-time 1000ms"));
  f.pass(700ms);
  EXPECT_EQ(f.sent.size(), 2U);
  f.body(request_body, "two!", true);
  f.pass(1h);
  EXPECT_THAT(f.sent, ElementsAre("more-time 1000ms", "more-time 1000ms",
                                  "request_headers set a=1 set x-model=onetwo! route",
                                  "request_body clear", "request_body body=\"onetwo!\""));
  EXPECT_EQ(f.counters.time_extensions.value(), 2U);
}

// The time that the handler itself states counts as ever.
TEST(HeldHeaders, GoWithTheHandlersOwnFallback) {
  for (const auto& config : kHolding) {
    Gate gate;
    AsyncFixture f(Holding{.handler = [&](BodyStream& body, auto&, auto&) -> Task<> {
                     body.response().fall_back_after(50ms);
                     const auto chunk = co_await body.read();
                     if (!chunk) co_return;
                     co_await gate.passed();
                     body.write("never");
                   }}.service());
    f.config = config;
    f.headers(request_headers);
    f.body(request_body, "one", true);
    f.pass(50ms);
    EXPECT_THAT(f.sent,
                ElementsAre("request_headers set a=1",
                            duplex(config) ? "request_body streamed=\"one\",end" : "request_body"));
    EXPECT_THAT(rules_told(f), ElementsAre(Rule::answered_too_late));
    gate.open();
  }
}

}  // namespace
}  // namespace extproc::stream
