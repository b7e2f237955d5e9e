// Handlers over a whole body: who waits for whom.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <functional>
#include <string>

#include "async_fixture.h"
#include "every_mode.h"

namespace extproc::stream {
namespace {

using ::testing::ElementsAre;

TEST(BodyStream, ReadsNothingWhileThePeerTakesNothing) {
  for (const BodySendMode mode : {BodySendMode::full_duplex_streamed, BodySendMode::streamed}) {
    Gate gate;
    int reads = 0;
    auto service = handlers();
    service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
      co_await gate.passed();
      while (auto chunk = co_await body.read()) {
        ++reads;
        body.write(chunk->body());
      }
    });
    AsyncFixture f(service);
    f.config = every(mode);
    for (int i = 0; i < 4; ++i) f.body(Phase::request_body, "x", i == 3);
    EXPECT_TRUE(f.sent.empty());
    f.congested_after = 1;
    gate.open();
    f.run();
    EXPECT_EQ(reads, 1);
    EXPECT_EQ(f.sent.size(), 1U);
    f.congested_after = 3;
    f.drain();
    EXPECT_EQ(f.sent.size(), 3U);
    EXPECT_EQ(reads, 3);
    f.congested_after = 100;
    f.drain();
    EXPECT_EQ(reads, 4);
    EXPECT_EQ(f.sent.size(), mode == BodySendMode::streamed ? 4U : 5U);
    EXPECT_TRUE(f.close());
  }
}

TEST(BodyStream, WaitsUntilItCanWrite) {
  int written = 0;
  auto service = handlers();
  service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    for (; written < 4; ++written) {
      body.write("x");
      co_await body.writable();
    }
  });
  AsyncFixture f(service);
  f.config = every(BodySendMode::full_duplex_streamed);
  f.congested_after = 2;
  f.body(Phase::request_body, "", true);
  EXPECT_EQ(f.sent.size(), 2U);
  f.congested_after = 100;
  f.drain();
  EXPECT_EQ(written, 4);
  EXPECT_THAT(f.sent.back(), "request_body streamed=\"\",end");
}

TEST(BodyStream, HoldsItsStreamBackOverTheLimitOfUnreadBytes) {
  for (const BodySendMode mode : {BodySendMode::full_duplex_streamed, BodySendMode::streamed}) {
    Gate gate;
    std::string read;
    auto service = handlers();
    service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
      co_await gate.passed();
      while (auto chunk = co_await body.read()) read += chunk->body();
    });
    AsyncFixture f(service);
    f.settings.unread_body_bytes = 2'500;
    f.config = every(mode);
    std::string all;
    for (const char letter : {'a', 'b', 'c', 'd', 'e'}) {
      f.body(Phase::request_body, std::string(900, letter), letter == 'e');
      all.append(900, letter);
    }
    EXPECT_TRUE(f.paused);
    EXPECT_EQ(f.waiting(), 2U);
    gate.open();
    f.run();
    EXPECT_FALSE(f.paused);
    EXPECT_EQ(f.waiting(), 0U);
    EXPECT_EQ(read, all);
  }
}

// A chunk takes memory however little is in it.
TEST(BodyStream, CountsChunksWithoutBytes) {
  Gate gate;
  int read = 0;
  auto service = handlers();
  service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    co_await gate.passed();
    while (auto chunk = co_await body.read()) ++read;
  });
  AsyncFixture f(service);
  f.settings.unread_body_bytes = 10'000;
  f.config = every(BodySendMode::streamed);
  for (int i = 0; i < 1'000; ++i) f.body(Phase::request_body, "", false);
  EXPECT_TRUE(f.paused);
  EXPECT_GT(f.waiting(), 700U);
  EXPECT_GE(f.kept_bytes, 10'000);
  EXPECT_LT(f.kept_bytes, 11'000);
  gate.open();
  f.run();
  EXPECT_EQ(read, 1'000);
}

// A handler that finds chunk after chunk lets others of its thread have their turn.
TEST(BodyStream, ALongBacklogLeavesOthersTheirTurn) {
  constexpr int kChunks = 10'000;
  Gate gate;
  int read = 0;
  int in_a_row = 0;
  int most_in_a_row = 0;
  std::function<void()> others;
  auto service = handlers();
  service->process<Phase::request_body>(
      [&](BodyStream& body, Context& context, Request&) -> Task<> {
        co_await gate.passed();
        others = [&, loop = executor(context)] {
          in_a_row = 0;
          if (read < kChunks) boost::asio::post(loop, others);
        };
        others();
        while (auto chunk = co_await body.read()) {
          ++read;
          most_in_a_row = std::max(most_in_a_row, ++in_a_row);
        }
      });
  AsyncFixture f(service);
  f.settings.unread_body_bytes = std::size_t{1} << 20;
  f.config = every(BodySendMode::full_duplex_streamed);
  for (int i = 0; i < kChunks; ++i) f.body(Phase::request_body, "x", i + 1 == kChunks);
  gate.open();
  f.run();
  EXPECT_EQ(read, kChunks);
  EXPECT_LE(most_in_a_row, 1'000);
}

// The stream may end while the handler waits for its turn.
TEST(BodyStream, EndsWhileOthersHaveTheirTurn) {
  bool cancelled = false;
  Gate gate;
  auto service = handlers();
  service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    co_await gate.passed();
    try {
      while (auto chunk = co_await body.read()) {
      }
    } catch (const boost::system::system_error&) {
      cancelled = true;
    }
  });
  AsyncFixture f(service);
  f.config = every(BodySendMode::full_duplex_streamed);
  for (int i = 0; i < 1'000; ++i) f.body(Phase::request_body, "x");
  gate.open();
  f.close();
  EXPECT_TRUE(cancelled);
}

TEST(BodyStream, LetsTheOtherDirectionGoOn) {
  Gate gate;
  auto service = handlers();
  service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    while (auto chunk = co_await body.read()) body.write(chunk->body());
    co_await gate.passed();
  });
  service->process<Phase::response_body>(
      [&](BodyStream& body, Context& context, Request&) -> Task<> {
        while (auto chunk = co_await body.read()) {
          co_await let_loop_run(context);
          body.write(chunk->body());
        }
      });
  AsyncFixture f(service);
  f.config = every(BodySendMode::streamed);
  f.body(Phase::request_body, "one");
  f.headers(Phase::response_headers);
  f.body(Phase::response_body, "a");
  f.trailers(Phase::request_trailers);
  f.body(Phase::response_body, "b");
  f.trailers(Phase::response_trailers);
  EXPECT_THAT(f.sent, ElementsAre("request_body", "response_headers", "response_body",
                                  "response_body", "response_trailers"));
  gate.open();
  f.run();
  EXPECT_EQ(f.sent.back(), "request_trailers");
}

}  // namespace
}  // namespace extproc::stream
