// Handlers of both directions at once: what one does must not reach the other.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/system/system_error.hpp>
#include <string>

#include "async_fixture.h"
#include "every_mode.h"

namespace extproc::stream {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

// Writing after the last chunk of a body with trailers is told as the body's mistake; the headers
// of the other direction are answered all the same.
TEST(Directions, AMistakeInABodyLeavesTheOthersAnswerAlone) {
  Gate body_gate, headers_gate;
  auto service = handlers();
  service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    while (const auto chunk = co_await body.read()) {
    }
    co_await body_gate.passed();
    body.write("too late");
  });
  service->process<Phase::response_headers>(
      [&](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
        response.set_header("x-answer", "1");
        co_await headers_gate.passed();
      });
  AsyncFixture f(service);
  f.config = kStreamed;
  f.body(Phase::request_body, "chunk");
  f.trailers(Phase::request_trailers);
  f.headers(Phase::response_headers);
  ASSERT_TRUE(headers_gate.waited_at());
  body_gate.open();
  headers_gate.open();
  f.run();
  EXPECT_THAT(f.sent, ElementsAre("request_body clear", "response_headers set x-answer=1",
                                  "request_trailers"));
  ASSERT_EQ(f.violations.size(), 1U);
  EXPECT_EQ(f.violations[0].rule, Rule::body_written_too_late);
  EXPECT_EQ(f.violations[0].phase, Phase::request_body);
}

// A rule that the answer to a chunk breaks is told of the body's phase, whichever handler waits.
TEST(Directions, AViolationIsToldOfItsOwnPhase) {
  Gate gate;
  auto service = handlers();
  service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    while (const auto chunk = co_await body.read()) {
      body.response().set_header("x-ignored", "1");
      co_await gate.passed();
    }
  });
  Gate headers_gate;
  service->process<Phase::response_headers>(
      [&](auto&, auto&, auto&, HeadersResponse&) -> Task<> { co_await headers_gate.passed(); });
  AsyncFixture f(service);
  f.config = kStreamed;
  f.body(Phase::request_body, "chunk");
  f.headers(Phase::response_headers);
  gate.open();
  f.run();
  headers_gate.open();
  f.run();
  ASSERT_EQ(f.violations.size(), 1U);
  EXPECT_EQ(f.violations[0].rule, Rule::body_header_mutation);
  EXPECT_EQ(f.violations[0].phase, Phase::request_body);
  EXPECT_THAT(
      f.log,
      ElementsAre(::testing::StartsWith("WARNING Test: request_body for request unknown: ")));
}

// What the handler awaited before is gone when it is cancelled somewhere else.
TEST(Directions, ACancelFindsAHandlerThatReadsAfterItAwaitedATimer) {
  bool aborted = false;
  auto service = handlers();
  service->process<Phase::request_body>(
      [&](BodyStream& body, Context& context, Request&) -> Task<> {
        {
          boost::asio::steady_timer timer(executor(context), 0ms);
          co_await timer.async_wait(boost::asio::deferred);
        }
        try {
          while (const auto chunk = co_await body.read()) body.write(chunk->body());
        } catch (const boost::system::system_error&) {
          aborted = true;
        }
      });
  AsyncFixture f(service);
  f.config = kStreamed;
  f.body(Phase::request_body, "chunk");
  EXPECT_EQ(f.sent.size(), 1U);
  EXPECT_TRUE(f.close());
  EXPECT_TRUE(aborted);
}

// The end that one handler brings about is the end for the other, whose answer and alarm are void.
TEST(Directions, NothingIsSentBehindTheEnd) {
  Gate body_gate, headers_gate;
  auto service = handlers();
  service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    co_await body.read();
    co_await body_gate.passed();
    body.response().respond({.status = 403});
  });
  service->process<Phase::response_headers>(
      [&](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
        response.fall_back_after(50ms);
        response.set_header("host", "refused");
        co_await headers_gate.passed();
      });
  AsyncFixture f(service);
  f.config = kStreamed;
  f.body(Phase::request_body, "chunk");
  f.headers(Phase::response_headers);
  ASSERT_TRUE(headers_gate.waited_at());
  body_gate.open();
  f.run();
  EXPECT_TRUE(f.ended);
  f.pass(60ms);
  EXPECT_EQ(f.counters.fallbacks.value(), 0U);
  headers_gate.open();
  f.run();
  EXPECT_THAT(f.sent, ElementsAre("immediate 403"));
  EXPECT_EQ(f.sent_after_end, 0);
  EXPECT_TRUE(f.violations.empty());
  EXPECT_THAT(f.observer.notes, ::testing::Contains("< response_headers cancelled 60000000"));
}

// The fallback of one handler stops that handler, not the one over the other direction's body.
TEST(Directions, AFallbackCancelsItsOwnHandlerOnly) {
  bool body_cancelled = false;
  bool headers_cancelled = false;
  Gate gate;
  auto service = handlers();
  service->process<Phase::request_body>(
      [&](BodyStream& body, Context& context, Request&) -> Task<> {
        while (auto chunk = co_await body.read()) {
          co_await let_loop_run(context);
          body.write(chunk->body());
        }
        body_cancelled = context.cancelled();
      });
  service->process<Phase::response_headers>(
      [&](auto&, Context& context, auto&, HeadersResponse& response) -> Task<> {
        response.fall_back_after(50ms);
        co_await gate.passed();
        headers_cancelled = context.cancelled();
      });
  AsyncFixture f(service);
  f.config = kFullDuplex;
  f.body(Phase::request_body, "one");
  f.headers(Phase::response_headers);
  f.pass(60ms);
  gate.open();
  f.run();
  f.body(Phase::request_body, "two", true);
  EXPECT_THAT(f.sent,
              ElementsAre("request_body streamed=\"one\"", "response_headers",
                          "request_body streamed=\"two\"", "request_body streamed=\"\",end"));
  EXPECT_TRUE(headers_cancelled);
  EXPECT_FALSE(body_cancelled);
  EXPECT_FALSE(f.ended);
}

// And the handler over the body still hears of the stream's own end.
TEST(Directions, TheStreamsEndIsHeardAfterAFallback) {
  bool body_cancelled = false;
  Gate gate;
  auto service = handlers();
  service->process<Phase::request_body>([&](BodyStream&, Context& context, Request&) -> Task<> {
    try {
      co_await wait_for_cancellation(context);
    } catch (const boost::system::system_error&) {
      body_cancelled = true;
    }
  });
  service->process<Phase::response_headers>(
      [&](auto&, Context&, auto&, HeadersResponse& response) -> Task<> {
        response.fall_back_after(50ms);
        co_await gate.passed();
      });
  AsyncFixture f(service);
  f.config = kFullDuplex;
  f.body(Phase::request_body, "one");
  f.headers(Phase::response_headers);
  f.pass(60ms);
  gate.open();
  f.run();
  EXPECT_FALSE(body_cancelled);
  EXPECT_TRUE(f.close());
  EXPECT_TRUE(body_cancelled);
}

TEST(Directions, ABodyHandlersContextTellsTheSameAsTheOthers) {
  auto service = handlers();
  std::optional<ProtocolConfiguration> config;
  std::string_view peer;
  service->process<Phase::request_body>(
      [&](BodyStream& body, Context& context, Request&) -> Task<> {
        config = context.protocol_config();
        peer = context.peer();
        while (const auto chunk = co_await body.read()) {
        }
        context.abort(GrpcStatus::data_loss);
      });
  AsyncFixture f(service);
  f.config = kFullDuplex;
  f.headers(Phase::request_headers);
  f.body(Phase::request_body, "one");
  EXPECT_EQ(config, kFullDuplex);
  EXPECT_EQ(peer, "10.0.0.1:1");
  EXPECT_FALSE(f.ended);
  f.body(Phase::request_body, "two", true);
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(f.status, GrpcStatus::data_loss);
}

}  // namespace
}  // namespace extproc::stream
