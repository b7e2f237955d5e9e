// Handlers that keep to a pace: BodyStream::set_pace, StreamedResponse::set_pace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "async_fixture.h"
#include "every_mode.h"

namespace extproc::stream {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr Pace kPace{.bytes_per_second = 1'000, .ahead = 2'000};

/// Reads all there is, then makes `left` pieces of 1,000 bytes.
std::shared_ptr<Handlers> maker(int left, int& written) {
  auto service = handlers();
  service->process<Phase::response_body>(
      [=, &written](BodyStream& body, Context&, Request&) -> Task<> {
        body.set_pace(kPace);
        while (auto chunk = co_await body.read()) body.write(chunk->bytes());
        for (int i = 0; i < left; ++i) {
          co_await body.writable();
          body.write(std::string(1'000, 'x'));
          ++written;
        }
      });
  return service;
}

TEST(Pace, ABodyThatIsMadeComesInTime) {
  int written = 0;
  AsyncFixture f(maker(5, written));
  f.config = every(BodySendMode::full_duplex_streamed);
  f.headers(Phase::response_headers);
  f.body(Phase::response_body, std::string(50'000, 'y'), true);
  // It copies as fast as it reads, and is ahead by no more than it may.
  EXPECT_EQ(written, 3);
  f.pass(999ms);
  EXPECT_EQ(written, 3);
  f.pass(1ms);
  EXPECT_EQ(written, 4);
  EXPECT_TRUE(f.wake_time);
  f.pass(1s);
  EXPECT_EQ(written, 5);
  EXPECT_THAT(f.sent.back(), HasSubstr("end"));
  EXPECT_FALSE(f.wake_time);
}

TEST(Pace, AStreamThatEndsEndsTheWait) {
  int written = 0;
  AsyncFixture f(maker(5, written));
  f.config = every(BodySendMode::full_duplex_streamed);
  f.headers(Phase::response_headers);
  f.body(Phase::response_body, "", true);
  EXPECT_EQ(written, 3);
  f.close();
  EXPECT_EQ(written, 3);
}

TEST(Pace, APeerThatTakesNothingIsWaitedForAsWell) {
  int written = 0;
  AsyncFixture f(maker(5, written));
  f.config = every(BodySendMode::full_duplex_streamed);
  f.headers(Phase::response_headers);
  f.congested_after = 2;
  f.body(Phase::response_body, std::string("y"), true);
  const int before = written;
  f.pass(10s);
  EXPECT_EQ(written, before);
  f.congested_after = ~std::size_t{0};
  f.drain();
  EXPECT_LT(before, written);
  f.pass(10s);
  EXPECT_EQ(written, 5);
}

TEST(Pace, AResponseThatIsWrittenPieceByPieceComesInTime) {
  int written = 0;
  auto service = handlers();
  service->process<Phase::request_headers>(
      [&](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
        auto& reply = response.respond_streaming(200);
        reply.set_pace(kPace);
        for (int i = 0; i < 5; ++i) {
          co_await reply.writable();
          reply.write(std::string(1'000, 'x'));
          ++written;
        }
      });
  AsyncFixture f(service);
  f.headers(Phase::request_headers, true);
  EXPECT_EQ(written, 3);
  f.pass(999ms);
  EXPECT_EQ(written, 3);
  f.pass(1ms);
  EXPECT_EQ(written, 4);
  f.pass(1s);
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(f.status, GrpcStatus::ok);
}

TEST(Pace, OneThatIsNoneFailsItsHandler) {
  auto service = handlers();
  service->process<Phase::request_headers>(
      [](auto&, auto&, auto&, HeadersResponse& response) -> Task<> {
        response.respond_streaming(200).set_pace({.bytes_per_second = 0});
        co_return;
      });
  AsyncFixture f(service);
  f.headers(Phase::request_headers, true);
  EXPECT_THAT(f.log, Contains(HasSubstr("Pace::bytes_per_second is 0")));
}

}  // namespace
}  // namespace extproc::stream
