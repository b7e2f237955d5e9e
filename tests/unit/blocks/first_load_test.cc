// A value that is loaded before anybody asks, on a thread of its own.
#include "extproc/first_load.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace extproc {
namespace {

using namespace std::chrono_literals;
using Strings = Cache<std::string, std::string>;

bool eventually(const std::function<bool()>& condition) {
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (!condition() && std::chrono::steady_clock::now() < limit) std::this_thread::sleep_for(1ms);
  return condition();
}

TEST(FirstLoad, IsTriedUntilTheValueIsThere) {
  std::atomic<int> loads = 0;
  std::atomic<bool> fails = true;
  Strings cache({.failure_ttl = 1ms},
                [&](const std::string& key) -> boost::asio::awaitable<std::string> {
                  ++loads;
                  if (fails) throw std::runtime_error("down");
                  co_return key + "!";
                });
  FirstLoad first;
  first.begin(cache, "a");
  EXPECT_TRUE(eventually([&] { return loads >= 2; }));
  EXPECT_EQ(cache.peek("a"), nullptr);
  fails = false;
  ASSERT_TRUE(eventually([&] { return cache.peek("a") != nullptr; }));
  EXPECT_EQ(*cache.peek("a"), "a!");
  first.end();
}

TEST(FirstLoad, WaitsForNothingAtItsEnd) {
  std::atomic<int> loads = 0;
  Strings cache({}, [&](const std::string& key) -> boost::asio::awaitable<std::string> {
    ++loads;
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 1h);
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_return key;
  });
  FirstLoad first;
  first.begin(cache, "a");
  EXPECT_TRUE(eventually([&] { return loads == 1; }));
  first.end();
  EXPECT_EQ(cache.peek("a"), nullptr);
}

}  // namespace
}  // namespace extproc
