// Responses to the caller that a handler writes piece by piece.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async_fixture.h"
#include "base/access.h"
#include "extproc/error.h"

namespace extproc::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using namespace std::chrono_literals;

constexpr ProtocolConfiguration config_of(BodySendMode request_mode) {
  return {request_mode, BodySendMode::none, false};
}

struct Pieces {
  const char* name;
  std::optional<ProtocolConfiguration> config;
  bool streams;
};

class StreamedReplies : public ::testing::TestWithParam<Pieces> {
 protected:
  std::vector<std::string> answer(std::shared_ptr<Handlers> service) {
    AsyncFixture f(std::move(service), "x-chain");
    f.config = GetParam().config;
    f.headers(Phase::request_headers, true, {{"x-chain", "forged"}});
    EXPECT_TRUE(f.ended);
    EXPECT_EQ(f.status, GrpcStatus::ok);
    EXPECT_EQ(f.sent_after_end, 0);
    EXPECT_EQ(f.counters.immediate_responses.value(), 1U);
    EXPECT_THAT(f.observer.notes, ::testing::Contains("< request_headers immediate 0"));
    return f.sent;
  }
};

TEST_P(StreamedReplies, LeaveAsTheyAreWrittenOrAtOnce) {
  auto service = handlers();
  service->process<Phase::request_headers>(
      [](auto&, Context& context, auto&, HeadersResponse& response) -> Task<> {
        auto& reply = response.respond_streaming(
            201, {{"X-A", "1"}, {":status", "wrong"}, {"x-chain", "forged"}, {"x-b", ""}});
        reply.write("one");
        co_await let_loop_run(context);
        reply.write("");
        reply.write("two");
        reply.finish();
        reply.write("ignored");
        reply.finish();
      });
  const std::vector<std::string> pieces{"head :status=201 x-a=1 x-b= x-chain=Test", "chunk \"one\"",
                                        "chunk \"two\"", "chunk \"\",end"};
  const std::vector<std::string> at_once{
      "immediate 201 set x-a=1 set :status=wrong set x-b= set x-chain=Test \"onetwo\""};
  EXPECT_THAT(answer(service), ElementsAreArray(GetParam().streams ? pieces : at_once));
}

TEST_P(StreamedReplies, EndWithTheHandlerAndItsExtras) {
  auto service = handlers();
  service->process<Phase::request_headers>(
      [](auto&, Context&, auto&, HeadersResponse& response) -> Task<> {
        response.respond_streaming(200).write("x");
        co_return;
      });
  const std::vector<std::string> pieces{"head :status=200 x-chain=Test", "chunk \"x\"",
                                        "chunk \"\",end"};
  const std::vector<std::string> at_once{"immediate 200 set x-chain=Test \"x\""};
  EXPECT_THAT(answer(service), ElementsAreArray(GetParam().streams ? pieces : at_once));
}

TEST_P(StreamedReplies, MayEndWithTrailers) {
  auto service = handlers();
  service->process<Phase::request_headers>([](auto&, Context&, auto&, HeadersResponse& response) {
    response.respond_streaming(200).finish({{"Grpc-Status", "0"}});
  });
  const std::vector<std::string> pieces{"head :status=200 x-chain=Test", "trailers grpc-status=0"};
  const std::vector<std::string> at_once{"immediate 200 set x-chain=Test"};
  EXPECT_THAT(answer(service), ElementsAreArray(GetParam().streams ? pieces : at_once));
}

INSTANTIATE_TEST_SUITE_P(
    Table, StreamedReplies,
    ::testing::Values(Pieces{"None", config_of(BodySendMode::none), true},
                      Pieces{"FullDuplex", config_of(BodySendMode::full_duplex_streamed), true},
                      Pieces{"Streamed", config_of(BodySendMode::streamed), false},
                      Pieces{"Buffered", config_of(BodySendMode::buffered), false},
                      Pieces{"Partial", config_of(BodySendMode::buffered_partial), false},
                      Pieces{"Grpc", config_of(BodySendMode::grpc), false},
                      Pieces{"Unknown", std::nullopt, false}),
    [](const auto& tested) { return tested.param.name; });

TEST(StreamedReply, IsLeftOutInResponseHeaders) {
  auto service = handlers();
  service->process<Phase::response_headers>([](auto&, auto&, auto&, HeadersResponse& response) {
    response.respond_streaming(200).write("x");
    response.set_header("x-a", "1");
  });
  for (int i = 0; i < 2; ++i) {
    AsyncFixture f(service);
    f.headers(Phase::response_headers);
    EXPECT_THAT(f.sent, ElementsAre("response_headers set x-a=1"));
    ASSERT_EQ(f.violations.size(), 1U);
    EXPECT_EQ(f.violations[0].rule, Rule::streamed_response);
  }
}

TEST(StreamedReply, IsNotSentToAnObserver) {
  auto service = handlers();
  service->process<Phase::request_headers>([](auto&, auto&, auto&, HeadersResponse& response) {
    response.respond_streaming(200).write("x");
  });
  AsyncFixture f(service);
  f.observes = true;
  f.headers(Phase::request_headers);
  EXPECT_TRUE(f.sent.empty());
  EXPECT_TRUE(f.violations.empty());
  EXPECT_FALSE(f.ended);
}

// The transport's call may be gone by then.
TEST(StreamedReply, WritesNothingToAStreamThatIsOver) {
  for (const bool begun : {false, true}) {
    Gate gate;
    auto service = handlers();
    service->process<Phase::request_headers>(
        [&](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
          if (begun) response.respond_streaming(200).write("before");
          co_await gate.passed();
          auto& reply = response.respond_streaming(200);
          reply.write("after");
          reply.finish();
        });
    AsyncFixture f(service);
    f.headers(Phase::request_headers);
    const std::size_t before = f.sent.size();
    EXPECT_FALSE(f.close());
    gate.open();
    f.run();
    EXPECT_EQ(f.sent.size(), before);
    EXPECT_EQ(f.releases, 1);
  }
}

TEST(StreamedReply, DoesNotFollowTheFallback) {
  Gate gate;
  auto service = handlers();
  service->process<Phase::request_headers>(
      [&](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
        response.fall_back_after(50ms);
        co_await gate.passed();
        response.respond_streaming(200).write("late");
      });
  service->process<Phase::response_headers>([](auto&, auto&, auto&, auto&) {});
  AsyncFixture f(service);
  f.headers(Phase::request_headers);
  f.pass(60ms);
  gate.open();
  f.run();
  EXPECT_THAT(f.sent, ElementsAre("request_headers"));
  EXPECT_FALSE(f.ended);
}

// Once the head is on its way no other answer is legal, and Envoy's timer does not run.
TEST(StreamedReply, IsNotReplacedByAFallbackNorGivenMoreTime) {
  Gate gate;
  auto service = handlers();
  service->process<Phase::request_headers>(
      [&](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
        response.fall_back_after(300ms, ImmediateResponse{.status = 503});
        auto& reply = response.respond_streaming(200);
        co_await gate.passed();
        reply.write("slow");
      });
  AsyncFixture f(service);
  f.settings.filter.max_message_timeout = 1s;
  f.headers(Phase::request_headers);
  f.pass(150ms);
  f.pass(10s);
  gate.open();
  f.run();
  EXPECT_THAT(f.sent, ElementsAre("head :status=200", "chunk \"slow\"", "chunk \"\",end"));
  EXPECT_EQ(f.counters.fallbacks.value(), 0U);
  EXPECT_EQ(f.counters.time_extensions.value(), 0U);
}

// A collected one is no answer yet.
TEST(StreamedReply, IsReplacedByAFallbackWhereItIsCollected) {
  Gate gate;
  auto service = handlers();
  service->process<Phase::request_headers>(
      [&](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
        response.fall_back_after(100ms, ImmediateResponse{.status = 503});
        auto& reply = response.respond_streaming(200);
        co_await gate.passed();
        reply.write("slow");
      });
  AsyncFixture f(service);
  f.config = config_of(BodySendMode::buffered);
  f.headers(Phase::request_headers);
  f.pass(150ms);
  gate.open();
  f.run();
  EXPECT_THAT(f.sent, ElementsAre("immediate 503"));
  EXPECT_EQ(f.sent_after_end, 0);
}

// The caller has a part of the response already: only an error can end it.
TEST(StreamedReply, CannotBeFollowedByAnImmediateResponse) {
  auto service = handlers();
  service->process<Phase::request_headers>([](auto&, auto&, auto&, HeadersResponse& response) {
    response.respond_streaming(200).write("x");
    throw StopRequestProcessing({.status = 403});
  });
  AsyncFixture f(service);
  f.headers(Phase::request_headers);
  EXPECT_THAT(f.sent, ElementsAre("head :status=200", "chunk \"x\""));
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(f.status, GrpcStatus::unknown);
  EXPECT_EQ(f.counters.handler_failures.value(), 1U);
}

// Where it is collected nothing is on its way.
TEST(StreamedReply, IsReplacedByAnImmediateResponseWhereItIsCollected) {
  auto service = handlers();
  service->process<Phase::request_headers>([](auto&, auto&, auto&, HeadersResponse& response) {
    response.respond_streaming(200).write("x");
    throw StopRequestProcessing({.status = 403});
  });
  AsyncFixture f(service);
  f.config = config_of(BodySendMode::buffered);
  f.headers(Phase::request_headers);
  EXPECT_THAT(f.sent, ElementsAre("immediate 403"));
}

// Its pieces cannot leave from another thread than the stream's.
TEST(StreamedReply, IsCollectedOnABlockingThread) {
  auto service = handlers();
  service
      ->process<Phase::request_headers>([](auto&, auto&, auto&, HeadersResponse& response) {
        auto& reply = response.respond_streaming(200, {{"x-a", "1"}});
        reply.write("one");
        reply.write("two");
      })
      .blocking();
  AsyncFixture f(service);
  f.headers(Phase::request_headers);
  f.finish_blocking();
  EXPECT_THAT(f.sent, ElementsAre("immediate 200 set x-a=1 \"onetwo\""));
}

TEST(StreamedReply, NeedsAStatusThatEnvoyTakes) {
  for (const int status : {0, 100, 199, 600}) {
    HeadersResponse response;
    EXPECT_THROW(response.respond_streaming(status), Error) << status;
    EXPECT_FALSE(detail::Access::streamed(response).started());
  }
}

}  // namespace
}  // namespace extproc::stream
