#include "extproc/rate_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "extproc/error.h"

namespace extproc {
namespace {

using std::chrono::milliseconds;
using Clock = RateLimiter::Clock;
constexpr Clock::time_point kStart{std::chrono::hours(1)};

TEST(RateLimit, ABucketIsEmptiedAndFillsAgain) {
  RateLimiter limiter({.per_second = 10, .burst = 3});
  for (const double left : {2, 1, 0}) {
    const auto decision = limiter.take("a", 1, kStart);
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(decision.remaining, left);
    EXPECT_EQ(decision.retry_after.count(), 0);
  }
  const auto refused = limiter.take("a", 1, kStart);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after, milliseconds(100));
  EXPECT_FALSE(limiter.take("a", 1, kStart + milliseconds(99)).allowed);
  EXPECT_TRUE(limiter.take("a", 1, kStart + milliseconds(100)).allowed);
  EXPECT_TRUE(limiter.take("b", 3, kStart).allowed) << "another key has a bucket of its own";
  // However long it waits, it has no more than the burst.
  EXPECT_FALSE(limiter.take("a", 3.5, kStart + std::chrono::hours(24)).allowed);
  EXPECT_TRUE(limiter.take("a", 3, kStart + std::chrono::hours(24)).allowed);
}

TEST(RateLimit, WhoWaitsAsToldIsAllowed) {
  RateLimiter limiter({.per_second = 0.3, .burst = 7});
  EXPECT_TRUE(limiter.take("a", 6.6, kStart).allowed);
  auto now = kStart;
  for (int i = 0; i < 100; ++i) {
    const auto refused = limiter.take("a", 1.7, now);
    ASSERT_FALSE(refused.allowed);
    ASSERT_FALSE(limiter.take("a", 1.7, now + refused.retry_after - milliseconds(1)).allowed);
    now += refused.retry_after + milliseconds(1);
    ASSERT_TRUE(limiter.take("a", 1.7, now).allowed);
  }
}

TEST(RateLimit, MoreThanTheBurstIsNever) {
  RateLimiter limiter({.per_second = 1, .burst = 2});
  const auto refused = limiter.take("a", 2.5, kStart);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after, std::chrono::nanoseconds::max());
  EXPECT_EQ(refused.remaining, 2);
}

TEST(RateLimit, WhatWasUsedIsPaidBack) {
  RateLimiter limiter({.per_second = 1, .burst = 10});
  EXPECT_EQ(limiter.charge("a", 15, kStart).remaining, -5);
  EXPECT_FALSE(limiter.take("a", 1, kStart + milliseconds(5'999)).allowed);
  EXPECT_TRUE(limiter.take("a", 1, kStart + milliseconds(6'000)).allowed);
  EXPECT_EQ(limiter.charge("a", 1e9, kStart + milliseconds(6'000)).remaining, -10);
}

TEST(RateLimit, TheKeysAreBounded) {
  RateLimiter limiter({.per_second = 1e-6, .burst = 1, .keys = 160});
  EXPECT_TRUE(limiter.take("kept", 1, kStart).allowed);
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(limiter.take(std::to_string(i), 1, kStart).allowed);
    EXPECT_FALSE(limiter.take("kept", 1, kStart).allowed) << "in use, it is not forgotten";
  }
  EXPECT_LE(limiter.size(), 160U);
  EXPECT_GE(limiter.size(), 150U);
  EXPECT_TRUE(limiter.take("0", 1, kStart).allowed) << "forgotten, it is full";
}

TEST(RateLimit, ThreadsShareABucket) {
  RateLimiter limiter({.per_second = 1e-6, .burst = 1000});
  std::atomic<int> allowed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 1000; ++k) {
        if (limiter.take("a").allowed) ++allowed;
        limiter.take(std::to_string(k % 50));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(allowed, 1000);
}

TEST(RateLimit, SettingsThatAreNoneAreRefused) {
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_THROW(RateLimiter({.per_second = 0, .burst = 1}), Error);
  EXPECT_THROW(RateLimiter({.per_second = 1, .burst = -1}), Error);
  EXPECT_THROW(RateLimiter({.per_second = infinite, .burst = 1}), Error);
  EXPECT_THROW(RateLimiter({.per_second = 1, .burst = 1, .keys = 0}), Error);
  RateLimiter limiter({.per_second = 1, .burst = 1});
  EXPECT_THROW(limiter.take("a", -1), Error);
  EXPECT_THROW(limiter.charge("a", std::nan("")), Error);
}

}  // namespace
}  // namespace extproc
