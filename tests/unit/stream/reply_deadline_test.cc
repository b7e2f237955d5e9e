// Handlers that wait too long: more time is asked for, and then their fallback is sent.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "async_fixture.h"
#include "every_mode.h"
#include "exchange/deadlines.h"

namespace extproc::stream {

using exchange::ReplyDeadline;
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using enum Phase;

struct Times {
  const char* name;
  milliseconds message_timeout, max_message_timeout;
  bool timed;
  std::optional<milliseconds> fallback;
  std::optional<milliseconds> extends_at, falls_back_at;
  std::optional<milliseconds> tells_at = std::nullopt;
};

const Times kTimes[] = {
    {"Nothing", 200ms, 0ms, true, std::nullopt, std::nullopt, std::nullopt},
    {"Fallback", 200ms, 0ms, true, 50ms, std::nullopt, 50ms},
    // A part of Envoy's time is for the way.
    {"FallbackInTime", 200ms, 0ms, true, 500ms, std::nullopt, 160ms},
    {"FallbackOfAShortTimeout", 10ms, 0ms, true, 500ms, std::nullopt, 5ms},
    {"FallbackOfALongTimeout", 10s, 0ms, true, 60s, std::nullopt, 8s},
    {"Extension", 200ms, 1s, true, std::nullopt, 100ms, std::nullopt},
    {"ExtensionThatIsNotNeeded", 200ms, 1s, true, 160ms, std::nullopt, 160ms},
    {"ExtensionThenFallback", 200ms, 1s, true, 700ms, 100ms, 700ms},
    {"ExtensionThenFallbackInTime", 200ms, 1s, true, 10s, 100ms, 900ms},
    {"Untimed", 200ms, 1s, false, std::nullopt, std::nullopt, std::nullopt, 200ms},
    {"UntimedFallback", 200ms, 1s, false, 10s, std::nullopt, 10s, 200ms},
    {"UntimedFallbackBefore", 200ms, 1s, false, 100ms, std::nullopt, 100ms},
    {"AtOnce", 200ms, 0ms, true, 0ms, std::nullopt, 0ms},
};

class Deadlines : public ::testing::TestWithParam<Times> {};

TEST_P(Deadlines, AreDueOnceEachAndNeverEarly) {
  const Times& t = GetParam();
  ReplyDeadline deadline;
  const Clock::time_point start{1h};
  FilterSettings filter;
  filter.message_timeout = t.message_timeout;
  filter.max_message_timeout = t.max_message_timeout;
  // Whatever was there before is forgotten.
  deadline.begin(start - 1min, {.max_message_timeout = 1s}, true, start);
  deadline.begin(start, filter, t.timed,
                 t.fallback ? std::optional(start + *t.fallback) : std::nullopt);
  using Action = ReplyDeadline::Action;
  const auto check = [&](const std::optional<milliseconds>& at, Action action) {
    if (!at) return;
    ASSERT_EQ(deadline.next(), start + *at);
    EXPECT_EQ(deadline.due(start + *at - 1ns), Action::none);
    EXPECT_EQ(deadline.due(start + *at), action);
  };
  check(t.tells_at, Action::tell);
  check(t.extends_at, Action::extend);
  check(t.falls_back_at, Action::fall_back);
  EXPECT_EQ(deadline.next(), std::nullopt);
  EXPECT_EQ(deadline.due(start + 24h), Action::none);
}

INSTANTIATE_TEST_SUITE_P(Table, Deadlines, ::testing::ValuesIn(kTimes),
                         [](const auto& tested) { return tested.param.name; });

/// A handler of each message phase that waits at a gate, with a fallback.
struct Waiting {
  Gate gate;
  bool late_is_cancelled = false;
  std::optional<ImmediateResponse> fallback;
  std::optional<milliseconds> after = 50ms;

  template <Phase phase>
  void add(Handlers& service) {
    service.process<phase>([this](auto&, Context& context, Request&, auto& response) -> Task<> {
      if (after) response.fall_back_after(*after, fallback);
      response.set_header("x-late", "1");
      co_await gate.passed();
      late_is_cancelled = context.cancelled();
    });
  }
};

struct Late {
  const char* name;
  Phase phase;
  ProtocolConfiguration config;
  const char* answer;
};

const Late kLate[] = {
    {"RequestHeaders", request_headers, kBuffered, "request_headers"},
    {"RequestBody", request_body, kBuffered, "request_body"},
    {"FullDuplexBody", request_body, kFullDuplex, "request_body streamed=\"x\""},
    {"RequestTrailers", request_trailers, kBuffered, "request_trailers"},
    {"ResponseHeadersWithTheChain", response_headers, kBuffered,
     "response_headers set x-chain=Test,Before"},
    {"ResponseBody", response_body, kBuffered, "response_body"},
    {"ResponseTrailers", response_trailers, kBuffered, "response_trailers"},
};

class LateAnswers : public ::testing::TestWithParam<Late> {
 protected:
  std::shared_ptr<Handlers> service() {
    auto made = handlers();
    switch (GetParam().phase) {
      case request_headers:
        waiting.add<request_headers>(*made);
        break;
      case request_body:
        waiting.add<request_body>(*made);
        break;
      case request_trailers:
        waiting.add<request_trailers>(*made);
        break;
      case response_headers:
        waiting.add<response_headers>(*made);
        break;
      case response_body:
        waiting.add<response_body>(*made);
        break;
      case response_trailers:
        waiting.add<response_trailers>(*made);
        break;
    }
    return made;
  }
  void begin(AsyncFixture& f) {
    f.settings.early_end = false;
    f.config = GetParam().config;
    const Phase phase = GetParam().phase;
    if (phase == request_headers || phase == response_headers) {
      f.headers(phase, false, {{"x-chain", "Before"}});
    } else if (phase == request_body || phase == response_body) {
      f.body(phase, "x");
    } else {
      f.trailers(phase);
    }
    ASSERT_TRUE(waiting.gate.waited_at());
  }
  Waiting waiting;
};

TEST_P(LateAnswers, AreReplacedByContinueAndDropped) {
  AsyncFixture f(service(), "x-chain");
  begin(f);
  f.pass(49ms);
  EXPECT_TRUE(f.sent.empty());
  f.pass(1ms);
  EXPECT_THAT(f.sent, ElementsAre(GetParam().answer));
  EXPECT_FALSE(f.ended);
  EXPECT_EQ(f.counters.fallbacks.value(), 1U);
  waiting.gate.open();
  f.run();
  EXPECT_TRUE(waiting.late_is_cancelled);
  EXPECT_EQ(f.sent.size(), 1U);
  ASSERT_EQ(f.violations.size(), 1U);
  EXPECT_EQ(f.violations[0].rule, Rule::answered_too_late);
  EXPECT_EQ(f.violations[0].phase, GetParam().phase);
  EXPECT_EQ(f.counters.misused_answers.value(), 1U);
  EXPECT_EQ(f.observer.notes.back(),
            "< " + std::string(to_string(GetParam().phase)) + " late 50000000");
  EXPECT_FALSE(f.wake_time);
}

TEST_P(LateAnswers, AreReplacedByAnImmediateResponse) {
  waiting.fallback = ImmediateResponse{.status = 503, .body = "later"};
  AsyncFixture f(service(), "x-chain");
  begin(f);
  f.pass(50ms);
  EXPECT_THAT(f.sent, ElementsAre("immediate 503 set x-chain=Test \"later\""));
  EXPECT_TRUE(f.ended);
  waiting.gate.open();
  f.run();
  EXPECT_EQ(f.sent_after_end, 0);
  EXPECT_TRUE(f.close());
}

TEST_P(LateAnswers, AreNoneWhereTheHandlerIsInTime) {
  AsyncFixture f(service());
  begin(f);
  f.pass(49ms);
  waiting.gate.open();
  f.run();
  EXPECT_EQ(f.sent.size(), 1U);
  EXPECT_FALSE(f.wake_time);
  f.pass(1h);
  EXPECT_EQ(f.sent.size(), 1U);
  EXPECT_EQ(f.counters.fallbacks.value(), 0U);
  EXPECT_FALSE(waiting.late_is_cancelled);
}

TEST_P(LateAnswers, AreNoneWhereTheStreamOnlyObserves) {
  AsyncFixture f(service());
  f.settings.filter.max_message_timeout = 1s;
  f.observes = true;
  begin(f);
  EXPECT_FALSE(f.wake_time);
  f.pass(1h);
  EXPECT_TRUE(f.sent.empty());
  waiting.gate.open();
  f.run();
  EXPECT_TRUE(f.violations.empty());
}

TEST_P(LateAnswers, AreGivenMoreTimeOnceWhereEnvoyRunsATimer) {
  waiting.after.reset();
  AsyncFixture f(service());
  f.settings.filter.max_message_timeout = 1500ms;
  begin(f);
  f.pass(99ms);
  EXPECT_TRUE(f.sent.empty());
  f.pass(1ms);
  f.pass(1h);
  const bool timed = !is_full_duplex(GetParam().config.request_body_mode);
  EXPECT_THAT(f.sent, ElementsAreArray(timed ? std::vector<std::string>{"more-time 1500ms"}
                                             : std::vector<std::string>{}));
  EXPECT_EQ(f.counters.time_extensions.value(), timed ? 1U : 0U);
  waiting.gate.open();
  f.run();
  EXPECT_EQ(f.sent.size(), timed ? 2U : 1U);
}

INSTANTIATE_TEST_SUITE_P(Table, LateAnswers, ::testing::ValuesIn(kLate),
                         [](const auto& tested) { return tested.param.name; });

/// A handler of request_headers that takes longer than its fallback.
std::shared_ptr<Handlers> late_request_headers(Gate& gate) {
  auto service = handlers();
  service->process<request_headers>([&](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
    response.fall_back_after(10ms);
    co_await gate.passed();
  });
  return service;
}

// The next phase is as any other: not cancelled, and with time of its own.
TEST(Fallback, LeavesTheNextPhasesAlone) {
  Gate first;
  bool cancelled = true;
  auto service = late_request_headers(first);
  service->process<response_headers>(
      [&](auto&, Context& context, auto&, HeadersResponse& response) -> Task<> {
        response.fall_back_after(10ms);
        co_await let_loop_run(context);
        cancelled = context.cancelled();
        response.set_header("x-in-time", "1");
      });
  AsyncFixture f(service);
  f.headers(request_headers);
  f.pass(20ms);
  // It waits for the handler that is late.
  f.headers(response_headers);
  EXPECT_EQ(f.sent.size(), 1U);
  first.open();
  f.run();
  EXPECT_THAT(f.sent, ElementsAre("request_headers", "response_headers set x-in-time=1"));
  EXPECT_FALSE(cancelled);
  EXPECT_EQ(f.log.size(), 1U);
}

// A handler that never returns must not make the request's other messages late.
TEST(Fallback, PassesTheNextMessagesToo) {
  Gate never;
  auto service = late_request_headers(never);
  const auto fail = [](auto&, auto&, auto&, auto&) { FAIL(); };
  service->process<request_body>(fail);
  service->process<response_headers>(fail);
  service->process<response_trailers>(fail);
  AsyncFixture f(service, "x-chain");
  f.settings.early_end = false;
  f.config = kBuffered;
  f.headers(request_headers);
  f.pass(10ms);
  f.body(request_body, "x", true);
  f.pass(9ms);
  EXPECT_THAT(f.sent, ElementsAre("request_headers"));
  EXPECT_TRUE(f.paused);
  f.pass(1ms);
  EXPECT_THAT(f.sent, ElementsAre("request_headers", "request_body"));
  // From now on at once.
  f.headers(response_headers);
  f.trailers(response_trailers);
  EXPECT_THAT(f.sent, ElementsAre("request_headers", "request_body",
                                  "response_headers set x-chain=Test", "response_trailers"));
  EXPECT_EQ(f.counters.fallbacks.value(), 2U);
  EXPECT_FALSE(f.ended);
  never.open();
  f.run();
  EXPECT_EQ(f.sent.size(), 4U);
  EXPECT_EQ(f.log.size(), 1U);
}

TEST(Fallback, OfAHandlerThatNeverReturnsEndsWithTheStream) {
  Gate never;
  AsyncFixture f(late_request_headers(never));
  f.headers(request_headers);
  f.pass(10ms);
  f.headers(response_headers);
  EXPECT_FALSE(f.close());
  f.pass(1h);
  EXPECT_EQ(f.sent.size(), 1U);
  never.open();
  EXPECT_TRUE(f.close());
}

TEST(Fallback, RefusesAMalformedMessageMeanwhile) {
  Gate never;
  AsyncFixture f(late_request_headers(never));
  f.headers(request_headers);
  f.pass(10ms);
  f.send("\xff\xff");
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(f.status, GrpcStatus::internal);
  never.open();
}

}  // namespace
}  // namespace extproc::stream
