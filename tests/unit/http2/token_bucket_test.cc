#include "http2/token_bucket.h"

#include <gtest/gtest.h>

namespace extproc::http2 {
namespace {

using namespace std::chrono_literals;

TEST(TokenBucket, LetsTheBurstThroughAndThenTheRate) {
  TokenBucket bucket(10, 3);
  TokenBucket::Clock::time_point now{1h};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(now));
  EXPECT_FALSE(bucket.take(now));
  now += 100ms;
  EXPECT_TRUE(bucket.take(now));
  EXPECT_FALSE(bucket.take(now));
  now += 1h;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(now));
  EXPECT_FALSE(bucket.take(now));
}

TEST(TokenBucket, OfNothingLetsNothingThrough) {
  TokenBucket bucket(0, 0);
  EXPECT_FALSE(bucket.take(TokenBucket::Clock::time_point{1h}));
}

}  // namespace
}  // namespace extproc::http2
