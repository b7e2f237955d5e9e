// A cache that streams of several threads wait for: each value loaded once, and what is given while
// it cannot be.
#include "extproc/cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "extproc/async.h"
#include "extproc/testing.h"

namespace extproc {
namespace {

using namespace std::chrono_literals;
using Strings = Cache<std::string, std::string>;
using testing::AsEnvoyExtProc;
using testing::envoy_headers;
using testing::StreamOptions;

/// A clock that stands, and a loader that does as it is told.
struct Fixture {
  std::atomic<std::int64_t> now_ms{1'000'000};
  std::atomic<int> loads{0};
  std::atomic<bool> fails{false};
  std::chrono::milliseconds takes{0};

  CacheSettings settings() {
    return {.ttl = 1000ms, .failure_ttl = 100ms, .now = [this] {
              return std::chrono::steady_clock::time_point(std::chrono::milliseconds(now_ms));
            }};
  }
  Strings::Loader loader() {
    return
        [this](const std::string& key) -> boost::asio::awaitable<std::string> { return load(key); };
  }
  boost::asio::awaitable<std::string> load(std::string key) {
    const int number = ++loads;
    if (takes.count() > 0) {
      const auto executor = co_await boost::asio::this_coro::executor;
      boost::asio::steady_timer timer(executor, takes);
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    if (fails) throw std::runtime_error("down");
    co_return key + std::to_string(number);
  }
};

/// What a handler is given: the value, or "!" and why not.
std::string ask(Strings& cache, const std::string& key, StreamOptions options = {}) {
  auto handlers = std::make_shared<Handlers>("Asks");
  std::string given = "nothing";
  handlers->process<Phase::request_headers>(
      [&](const HttpHeaders&, Context& context, Request&, HeadersResponse&) -> Task<> {
        try {
          const auto value = co_await cache.get(executor(context), key);
          given = *value;
        } catch (const std::exception& error) {
          given = std::string("!") + error.what();
        }
        // What it started in the background ends before the stream does.
        boost::asio::steady_timer timer(executor(context), 1ms);
        co_await timer.async_wait(boost::asio::deferred);
      });
  AsEnvoyExtProc({.request_headers = envoy_headers({{":method", "GET"}})}, std::move(options))
      .process(handlers);
  return given;
}

TEST(Cache, AValueIsLoadedOnceAndAgainAfterItsTime) {
  Fixture fixture;
  Strings cache(fixture.settings(), fixture.loader());
  EXPECT_EQ(cache.peek("a"), nullptr);
  EXPECT_EQ(ask(cache, "a"), "a1");
  EXPECT_EQ(ask(cache, "a"), "a1");
  EXPECT_EQ(ask(cache, "b"), "b2");
  fixture.now_ms += 999;
  EXPECT_EQ(ask(cache, "a"), "a1");
  fixture.now_ms += 1;
  EXPECT_EQ(cache.peek("a"), nullptr);
  EXPECT_EQ(ask(cache, "a"), "a3");
  cache.erase("a");
  EXPECT_EQ(ask(cache, "a"), "a4");
  cache.put("a", "mine");
  EXPECT_EQ(ask(cache, "a"), "mine");
  EXPECT_EQ(cache.counts().loads, 4U);
}

TEST(Cache, AllWaitForOneLoad) {
  Fixture fixture;
  fixture.takes = 100ms;
  Strings cache(fixture.settings(), fixture.loader());
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { right += ask(cache, "a") == "a1" ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8);
  EXPECT_EQ(fixture.loads, 1);
}

TEST(Cache, AFailureIsToldToAllAndRemembered) {
  Fixture fixture;
  fixture.fails = true;
  Strings cache(fixture.settings(), fixture.loader());
  EXPECT_EQ(ask(cache, "a"), "!down");
  EXPECT_EQ(ask(cache, "a"), "!down");
  EXPECT_EQ(fixture.loads, 1);
  fixture.now_ms += 100;
  EXPECT_EQ(ask(cache, "a"), "!down");
  EXPECT_EQ(fixture.loads, 2);
  fixture.fails = false;
  fixture.now_ms += 100;
  EXPECT_EQ(ask(cache, "a"), "a3");
  EXPECT_EQ(cache.counts().failures, 2U);
}

TEST(Cache, TheLastValueIsGivenWhileItCannotBeLoaded) {
  Fixture fixture;
  CacheSettings settings = fixture.settings();
  settings.stale = 5000ms;
  Strings cache(settings, fixture.loader());
  EXPECT_EQ(ask(cache, "a"), "a1");
  fixture.fails = true;
  fixture.now_ms += 1000;
  EXPECT_EQ(ask(cache, "a"), "a1") << "it waited for a load that failed";
  EXPECT_EQ(ask(cache, "a"), "a1") << "and does not try again at once";
  EXPECT_EQ(fixture.loads, 2);
  fixture.now_ms += 4999;
  EXPECT_EQ(ask(cache, "a"), "a1");
  fixture.now_ms += 1;
  EXPECT_EQ(ask(cache, "a"), "!down");
  fixture.fails = false;
  fixture.now_ms += 100;
  EXPECT_EQ(ask(cache, "a"), "a4");
}

TEST(Cache, AnOldValueIsRefreshedWithoutWaiting) {
  Fixture fixture;
  CacheSettings settings = fixture.settings();
  settings.refresh_after = 500ms;
  Strings cache(settings, fixture.loader());
  EXPECT_EQ(ask(cache, "a"), "a1");
  fixture.now_ms += 499;
  EXPECT_EQ(ask(cache, "a"), "a1");
  EXPECT_EQ(fixture.loads, 1);
  fixture.now_ms += 1;
  EXPECT_EQ(ask(cache, "a"), "a1") << "not the new one, which nobody waited for";
  EXPECT_EQ(fixture.loads, 2);
  EXPECT_EQ(ask(cache, "a"), "a2");
  EXPECT_EQ(fixture.loads, 2);
}

/// As ask(), for whom what it gave first is of no use.
std::string renew(Strings& cache, const std::string& key) {
  auto handlers = std::make_shared<Handlers>("Renews");
  std::string given = "nothing";
  handlers->process<Phase::request_headers>(
      [&](const HttpHeaders&, Context& context, Request&, HeadersResponse&) -> Task<> {
        const auto known = co_await cache.get(executor(context), key);
        const auto newer = co_await cache.get_newer(executor(context), key, known);
        given = *known + ">" + *newer;
      });
  AsEnvoyExtProc({.request_headers = envoy_headers({{":method", "GET"}})}).process(handlers);
  return given;
}

TEST(Cache, WhatIsOfNoUseIsLoadedAgainButNotForEverybody) {
  Fixture fixture;
  CacheSettings settings = fixture.settings();
  settings.renewal_pause = 50ms;
  Strings cache(settings, fixture.loader());
  EXPECT_EQ(renew(cache, "a"), "a1>a1") << "it has just been loaded";
  fixture.now_ms += 50;
  EXPECT_EQ(renew(cache, "a"), "a1>a2");
  EXPECT_EQ(renew(cache, "a"), "a2>a2");
  EXPECT_EQ(fixture.loads, 2);
  fixture.now_ms += 50;
  fixture.fails = true;
  EXPECT_EQ(renew(cache, "a"), "a2>a2");
  EXPECT_EQ(renew(cache, "a"), "a2>a2") << "failed a moment ago";
  EXPECT_EQ(fixture.loads, 3);
}

TEST(Cache, AllWhoseValueIsOfNoUseWaitForOneLoad) {
  Fixture fixture;
  CacheSettings settings = fixture.settings();
  settings.renewal_pause = 50ms;
  Strings cache(settings, fixture.loader());
  EXPECT_EQ(ask(cache, "a"), "a1");
  fixture.now_ms += 50;
  fixture.takes = 100ms;
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { right += renew(cache, "a").ends_with(">a2") ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8);
  EXPECT_EQ(fixture.loads, 2);
}

TEST(Cache, NobodyWaitsForeverAndALoadOutlivesItsStream) {
  Fixture fixture;
  fixture.takes = 150ms;
  CacheSettings settings = fixture.settings();
  settings.load_time = 30ms;
  Strings cache(settings, fixture.loader());
  boost::asio::io_context loop;
  // The load is on another loop, as of another stream.
  EXPECT_TRUE(cache.refresh(loop.get_executor(), "a"));
  EXPECT_FALSE(cache.refresh(loop.get_executor(), "a")) << "it is under way";
  EXPECT_EQ(ask(cache, "a"), std::string("!") + CacheTimeout().what());
  loop.run();
  EXPECT_EQ(ask(cache, "a"), "a1");
}

TEST(Cache, AStreamThatIsOverWaitsNoLonger) {
  Fixture fixture;
  Strings cache(fixture.settings(), fixture.loader());
  boost::asio::io_context loop;
  cache.refresh(loop.get_executor(), "a");
  auto handlers = std::make_shared<Handlers>("Asks");
  std::string error;
  handlers->process<Phase::request_headers>(
      [&](const HttpHeaders&, Context& context, Request&, HeadersResponse&) -> Task<> {
        try {
          const auto value = co_await cache.get(executor(context), "a");
          error = *value;
        } catch (const boost::system::system_error& aborted) {
          error = aborted.code() == boost::asio::error::operation_aborted ? "aborted" : "other";
        }
      });
  AsEnvoyExtProc({.request_headers = envoy_headers({{":method", "GET"}})}, {.reset_after = 1})
      .process(handlers);
  EXPECT_EQ(error, "aborted");
  loop.run();
  EXPECT_EQ(*cache.peek("a"), "a1");
}

TEST(Cache, EntriesAndLoadsAreBounded) {
  Fixture fixture;
  CacheSettings settings = fixture.settings();
  settings.entries = 3;
  settings.loads = 2;
  Strings cache(settings, fixture.loader());
  for (const char* key : {"a", "b", "c", "a", "d"}) ask(cache, key);
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_NE(cache.peek("a"), nullptr);
  EXPECT_EQ(cache.peek("b"), nullptr) << "asked for least lately";
  boost::asio::io_context loop;
  EXPECT_TRUE(cache.refresh(loop.get_executor(), "x"));
  EXPECT_TRUE(cache.refresh(loop.get_executor(), "y"));
  EXPECT_FALSE(cache.refresh(loop.get_executor(), "z"));
  EXPECT_EQ(ask(cache, "z"), "!a cache has too many loads under way");
  EXPECT_NE(ask(cache, "d"), "") << "what is there is given";
}

TEST(Cache, ItCanGoWhileItLoads) {
  Fixture fixture;
  boost::asio::io_context loop;
  auto cache = std::make_unique<Strings>(fixture.settings(), fixture.loader());
  cache->refresh(loop.get_executor(), "a");
  cache.reset();
  loop.run();
  EXPECT_EQ(fixture.loads, 1);
}

TEST(Cache, SettingsThatAreNoneAreRefused) {
  const auto with = [](CacheSettings settings) { Strings(std::move(settings), nullptr); };
  EXPECT_THROW(with({.ttl = 0ms}), Error);
  EXPECT_THROW(with({.ttl = 5ms, .refresh_after = 5ms}), Error);
  EXPECT_THROW(with({.load_time = 0ms}), Error);
  EXPECT_THROW(with({.entries = 0}), Error);
}

}  // namespace
}  // namespace extproc
