// Responses that a handler writes piece by piece: what waits for the peer, and what is collected up
// to a limit.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <memory>

#include "async_fixture.h"

namespace extproc::stream {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

constexpr ProtocolConfiguration kCollects{BodySendMode::buffered, BodySendMode::none, false};

/// Writes `left` pieces, waiting for its peer behind each; counts those that were waited for.
std::shared_ptr<Handlers> patient_writer(int left, int& passed, bool& aborted) {
  auto service = handlers();
  service->process<Phase::request_headers>(
      [=, &passed, &aborted](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
        auto& reply = response.respond_streaming(200);
        try {
          for (int i = 0; i < left; ++i) {
            reply.write("x");
            co_await reply.writable();
            ++passed;
          }
        } catch (const boost::system::system_error& error) {
          aborted = error.code() == boost::asio::error::operation_aborted;
        }
      });
  return service;
}

TEST(StreamedReply, WaitsWhileItsPeerTakesNothing) {
  int passed = 0;
  bool aborted = false;
  AsyncFixture f(patient_writer(4, passed, aborted));
  f.congested_after = 3;  // the head and two pieces
  f.headers(Phase::request_headers, true);
  EXPECT_EQ(passed, 1);
  EXPECT_FALSE(f.ended);
  f.drain();  // and it is congested again at the next piece
  EXPECT_EQ(passed, 2);
  f.congested_after = ~std::size_t{0};
  f.drain();
  EXPECT_EQ(passed, 4);
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(f.status, GrpcStatus::ok);
  EXPECT_FALSE(aborted);
  EXPECT_THAT(f.sent, ElementsAre("head :status=200", "chunk \"x\"", "chunk \"x\"", "chunk \"x\"",
                                  "chunk \"x\"", "chunk \"\",end"));
}

TEST(StreamedReply, ToldThatThePeerReadsDoesNotWakeWhoWaitsForSomethingElse) {
  Gate gate;
  auto service = handlers();
  service->process<Phase::request_headers>(
      [&](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
        auto& reply = response.respond_streaming(200);
        co_await reply.writable();
        co_await gate.passed();
        reply.write("x");
      });
  AsyncFixture f(service);
  f.headers(Phase::request_headers, true);
  f.drain();
  EXPECT_THAT(f.sent, ElementsAre("head :status=200"));
  gate.open();
  f.run();
  EXPECT_EQ(f.sent.size(), 3U);
}

TEST(StreamedReply, EndsItsWaitWithTheStream) {
  int passed = 0;
  bool aborted = false;
  AsyncFixture f(patient_writer(4, passed, aborted));
  f.congested_after = 2;
  f.headers(Phase::request_headers, true);
  EXPECT_EQ(passed, 0);
  EXPECT_TRUE(f.close());
  EXPECT_TRUE(aborted);
  EXPECT_EQ(passed, 0);
}

TEST(StreamedReply, DoesNotWaitWhereItIsCollected) {
  int passed = 0;
  bool aborted = false;
  AsyncFixture f(patient_writer(4, passed, aborted));
  f.config = kCollects;
  f.congested_at_once = true;
  f.headers(Phase::request_headers, true);
  EXPECT_EQ(passed, 4);
  EXPECT_FALSE(aborted);
  EXPECT_THAT(f.sent, ElementsAre("immediate 200 \"xxxx\""));
}

// A handler that never ends of itself would not be stopped by anything else.
TEST(StreamedReply, IsCollectedUpToALimit) {
  int passed = 0;
  bool aborted = false;
  AsyncFixture f(patient_writer(1'000'000, passed, aborted));
  f.settings.collected_bytes = 5;
  f.config = kCollects;
  f.headers(Phase::request_headers, true);
  EXPECT_TRUE(aborted);
  EXPECT_EQ(passed, 5);
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(f.status, GrpcStatus::resource_exhausted);
  EXPECT_THAT(f.sent, IsEmpty());
  EXPECT_EQ(f.counters.streams_over_limit.value(), 1U);
  EXPECT_THAT(f.log, Contains(HasSubstr("is ended over a limit")));
}

// The limit is not in the way of what it allows; on another thread nobody is told meanwhile.
TEST(StreamedReply, IsCollectedUpToALimitOnABlockingThread) {
  for (const bool fits : {true, false}) {
    auto service = handlers();
    service
        ->process<Phase::request_headers>([&](auto&, auto&, auto&, HeadersResponse& response) {
          auto& reply = response.respond_streaming(200);
          for (int i = 0; i < (fits ? 5 : 6); ++i) reply.write("x");
        })
        .blocking();
    AsyncFixture f(service);
    f.settings.collected_bytes = 5;
    f.headers(Phase::request_headers, true);
    f.finish_blocking();
    EXPECT_TRUE(f.ended);
    EXPECT_EQ(f.status, fits ? GrpcStatus::ok : GrpcStatus::resource_exhausted);
    EXPECT_EQ(f.sent.size(), fits ? 1U : 0U);
  }
}

// A fallback was sent in its place.
TEST(StreamedReply, IsOverBehindAFallback) {
  Gate gate;
  bool aborted = false;
  auto service = handlers();
  service->process<Phase::request_headers>(
      [&](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
        response.fall_back_after(100ms);
        auto& reply = response.respond_streaming(200);
        co_await gate.passed();
        try {
          co_await reply.writable();
        } catch (const boost::system::system_error&) {
          aborted = true;
        }
      });
  AsyncFixture f(service);
  f.config = kCollects;
  f.headers(Phase::request_headers);
  f.pass(150ms);
  gate.open();
  f.run();
  EXPECT_TRUE(aborted);
  EXPECT_THAT(f.sent, ElementsAre("request_headers"));
}

TEST(StreamedReply, HasNothingToWaitForWhereThereIsNone) {
  int passed = 0;
  auto service = handlers();
  service->process<Phase::response_headers>(
      [&](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
        StreamedResponse none;
        co_await none.writable();
        co_await response.respond_streaming(200).writable();
        ++passed;
      });
  AsyncFixture f(service);
  f.congested_at_once = true;
  f.headers(Phase::response_headers);
  EXPECT_EQ(passed, 1);
}

}  // namespace
}  // namespace extproc::stream
