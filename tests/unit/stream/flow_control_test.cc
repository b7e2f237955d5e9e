// The client's own flow control of body bytes.

#include "stream/flow_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <protozero/pbf_writer.hpp>
#include <string>

#include "async_fixture.h"
#include "every_mode.h"

namespace extproc::stream {
namespace {

using ::testing::ElementsAre;

std::string window_update(std::int64_t to_upstream, std::int64_t to_downstream) {
  std::string bytes;
  protozero::pbf_writer message(bytes);
  protozero::pbf_writer update(message, 13);
  update.add_int64(1, to_upstream);
  update.add_int64(2, to_downstream);
  update.commit();
  return bytes;
}

std::string init(const wire::FlowControlInit& windows) {
  std::string bytes;
  protozero::pbf_writer message(bytes);
  {
    protozero::pbf_writer field(message, 12);
    field.add_int64(1, windows.downstream_to_sidestream);
    field.add_int64(2, windows.sidestream_to_upstream);
    field.add_int64(3, windows.upstream_to_sidestream);
    field.add_int64(4, windows.sidestream_to_downstream);
  }
  protozero::pbf_writer config(message, 11);
  config.add_enum(1, 4);
  config.add_enum(2, 4);
  config.commit();
  return bytes;
}

/// Both bodies are sent on as they come.
std::shared_ptr<Handlers> echo() {
  const auto handler = [](BodyStream& body, Context&, Request&) -> Task<> {
    while (auto chunk = co_await body.read()) body.write(chunk->body());
  };
  auto service = handlers();
  service->process<Phase::request_body>(handler).process<Phase::response_body>(handler);
  return service;
}

TEST(FlowControl, HoldsWhatDoesNotFitInOrderWithTheTrailersBehindIt) {
  AsyncFixture f(echo());
  f.send(init({1000, 5, 1000, 1000}));
  f.body(Phase::request_body, "1234567");  // whole, once there is any window
  f.body(Phase::request_body, "89");
  EXPECT_THAT(f.sent, ElementsAre("request_body streamed=\"1234567\""));
  f.body(Phase::response_body, "other");
  EXPECT_EQ(f.sent.back(), "response_body streamed=\"other\"");
  f.body(Phase::request_body, "end");
  f.trailers(Phase::request_trailers);
  EXPECT_EQ(f.sent.size(), 2U);
  f.send(window_update(2, 0));  // back to 0: still none
  EXPECT_EQ(f.sent.size(), 2U);
  f.send(window_update(1, 0));
  ASSERT_EQ(f.sent.size(), 3U);
  EXPECT_EQ(f.sent[2], "request_body streamed=\"89\"");
  f.send(window_update(100, 0));
  ASSERT_EQ(f.sent.size(), 5U);
  EXPECT_EQ(f.sent[3], "request_body streamed=\"end\"");
  EXPECT_EQ(f.sent[4], "request_trailers");
}

TEST(FlowControl, HoldsTheAnswersOfMessageHandlersToo) {
  AsyncFixture f(handlers_of({Phase::request_body}));
  f.send(init({1000, 0, 1000, 1000}));
  f.body(Phase::request_body, "one");
  f.body(Phase::request_body, "");
  f.body(Phase::request_body, "two", true);
  f.headers(Phase::response_headers);
  EXPECT_THAT(f.sent, ElementsAre("response_headers"));
  f.send(window_update(1, 0));
  // A message without bytes needs no window, only its turn.
  EXPECT_THAT(f.sent, ElementsAre("response_headers", "request_body streamed=\"one\"",
                                  "request_body streamed=\"\""));
  f.send(window_update(3, 0));
  EXPECT_THAT(f.sent,
              ElementsAre("response_headers", "request_body streamed=\"one\"",
                          "request_body streamed=\"\"", "request_body streamed=\"two\",end"));
}

TEST(FlowControl, TellsWhatWasConsumedInEachDirection) {
  AsyncFixture f(echo());
  f.send(init({10, 1000, 20, 1000}));
  f.body(Phase::request_body, "1234");
  EXPECT_THAT(f.sent, ElementsAre("request_body streamed=\"1234\""));
  f.body(Phase::request_body, "5");
  ASSERT_EQ(f.sent.size(), 3U);
  EXPECT_THAT(f.sent, ::testing::Contains("window 5/0"));
  f.body(Phase::response_body, "1234567890");
  EXPECT_THAT(f.sent, ::testing::Contains("window 0/10"));
}

// Otherwise a client that takes nothing could send without end.
TEST(FlowControl, LetsTheClientSendNoMoreWhileAnswersWait) {
  for (const bool whole : {false, true}) {
    AsyncFixture f(whole ? echo() : handlers_of({Phase::request_body}));
    f.send(init({4, 0, 4, 0}));
    f.body(Phase::request_body, "1234");
    f.body(Phase::request_body, "5678");
    EXPECT_THAT(f.sent, ::testing::Each(::testing::Not(::testing::StartsWith("request_body"))));
    if (!whole) {
      EXPECT_TRUE(f.sent.empty()) << f.sent.front();
    }
    f.send(window_update(1000, 0));
    int told = 0;
    for (const auto& line : f.sent) {
      if (line == "window 8/0") told += 8;
      if (line == "window 4/0") told += 4;
    }
    EXPECT_EQ(told, 8);
  }
}

// The message that lets answers go comes in the same stream as the chunks.
TEST(FlowControl, DoesNotHoldItsOwnUpdatesBack) {
  AsyncFixture f(echo());
  f.settings.unread_body_bytes = 4;
  f.send(init({1000, 1, 1000, 1000}));
  for (const char* chunk : {"one", "two", "three", "four"})
    f.body(Phase::request_body, chunk, chunk[0] == 'f');
  EXPECT_FALSE(f.paused);
  f.send(window_update(1000, 0));
  EXPECT_THAT(f.sent, ::testing::IsSupersetOf(
                          {"request_body streamed=\"one\"", "request_body streamed=\"two\"",
                           "request_body streamed=\"three\"", "request_body streamed=\"four\"",
                           "request_body streamed=\"\",end"}));
}

TEST(FlowControl, BoundsWhatWaitsForAWindowThatNeverComes) {
  for (const bool whole : {false, true}) {
    AsyncFixture f(whole ? echo() : handlers_of({Phase::request_body}));
    f.settings.flow_controlled_bytes = 100;
    f.send(init({1000, 0, 1000, 0}));
    for (int i = 0; i < 10 && !f.ended; ++i) f.body(Phase::request_body, std::string(30, 'x'));
    EXPECT_TRUE(f.ended);
    EXPECT_EQ(f.status, GrpcStatus::resource_exhausted);
    EXPECT_TRUE(f.close());
    EXPECT_EQ(f.counters.streams_over_limit.value(), 1U);
  }
}

// The numbers are the peer's: any of them must be safe, and they stop at the ends of their type.
TEST(FlowControl, TakesWindowsOfAnySize) {
  using Wide = long double;  // holds every sum of a few of them closely enough
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  for (const std::int64_t first : {kMost, kLeast, std::int64_t{0}, std::int64_t{-5}}) {
    for (const std::int64_t then : {kMost, kLeast, std::int64_t{7}, std::int64_t{-7}}) {
      AsyncFixture f(echo());
      f.send(init({first, first, first, first}));
      f.body(Phase::request_body, "1234");
      f.send(window_update(then, then));
      f.send(window_update(then, then));
      f.body(Phase::request_body, "5678", true);

      Wide window = static_cast<Wide>(first);
      std::size_t expected = 0;  // chunks
      const auto flush = [&](std::size_t come) {
        for (; expected < come && window > 0; ++expected) window -= 4;
      };
      flush(1);
      for (int i = 0; i < 2; ++i) {
        window = std::clamp(window + static_cast<Wide>(then), static_cast<Wide>(kLeast),
                            static_cast<Wide>(kMost));
        flush(1);
      }
      flush(2);
      std::size_t sent = 0;
      for (const auto& line : f.sent) sent += line.ends_with("4\"") || line.ends_with("8\"");
      EXPECT_EQ(sent, expected) << first << " then " << then;
    }
  }
}

TEST(FlowControl, IsOffWithoutItsInit) {
  AsyncFixture f(echo());
  f.config = kFullDuplex;
  f.body(Phase::request_body, "1234");
  f.send(window_update(-1000, -1000));
  f.body(Phase::request_body, "5", true);
  EXPECT_THAT(f.sent, ElementsAre("request_body streamed=\"1234\"", "request_body streamed=\"5\"",
                                  "request_body streamed=\"\",end"));
}

// What a fallback let through is consumed as well.
TEST(FlowControl, CountsWhatAFallbackAnswered) {
  Gate gate;
  auto service = handlers();
  service->process<Phase::request_body>(
      [&](const HttpBody&, Context&, Request&, BodyResponse& response) -> Task<> {
        response.fall_back_after(std::chrono::milliseconds(10));
        co_await gate.passed();
      });
  AsyncFixture f(service);
  f.send(init({4, 1000, 4, 1000}));
  f.body(Phase::request_body, "1234");
  f.pass(std::chrono::milliseconds(20));
  gate.open();
  f.run();
  EXPECT_THAT(f.sent, ElementsAre("request_body streamed=\"1234\"", "window 4/0"));
}

}  // namespace
}  // namespace extproc::stream
