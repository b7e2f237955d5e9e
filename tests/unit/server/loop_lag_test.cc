#include "server/loop_lag.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <thread>

namespace extproc::server {
namespace {

using namespace std::chrono_literals;

TEST(LoopLag, IsNoneBeforeTheStart) {
  boost::asio::io_context io;
  const LoopLag lag(io);
  EXPECT_EQ(lag.longest(), 0ns);
}

// Both lower bounds hold however long the test is kept waiting.
TEST(LoopLag, IsToldWhileTheLoopStandsStillAndAfterwards) {
  boost::asio::io_context io;
  LoopLag lag(io);
  lag.start();
  std::this_thread::sleep_for(400ms);
  const auto standing = lag.longest();
  EXPECT_GE(standing, 100ms);
  io.run_one();
  EXPECT_GE(lag.longest(), standing);
}

}  // namespace
}  // namespace extproc::server
