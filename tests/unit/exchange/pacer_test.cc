#include "exchange/pacer.h"

#include <gtest/gtest.h>

#include "extproc/error.h"

namespace extproc::exchange {
namespace {

using namespace std::chrono_literals;

constexpr Pacer::Clock::time_point kStart{1h};

TEST(Pacer, LetsSoMuchBeAheadAtOnceAndThenGoesByTime) {
  Pacer pacer({.bytes_per_second = 1'000, .ahead = 500});
  EXPECT_FALSE(pacer.writable_at(kStart));
  pacer.wrote(500, kStart);
  EXPECT_FALSE(pacer.writable_at(kStart));
  pacer.wrote(1'000, kStart);
  EXPECT_EQ(pacer.writable_at(kStart), kStart + 1s);
  EXPECT_EQ(pacer.writable_at(kStart + 999ms), kStart + 1s);
  EXPECT_FALSE(pacer.writable_at(kStart + 1s));
}

TEST(Pacer, TimeThatWasNotUsedDoesNotAddUp) {
  Pacer pacer({.bytes_per_second = 1'000, .ahead = 0});
  pacer.wrote(1'000, kStart + 1h);
  EXPECT_EQ(pacer.writable_at(kStart + 1h), kStart + 1h + 1s);
}

TEST(Pacer, WhatIsReadMayBeWrittenAtOnceBeforeAndAfter) {
  Pacer pacer({.bytes_per_second = 1'000, .ahead = 0});
  pacer.read(70'000, kStart);
  pacer.wrote(50'000, kStart);
  EXPECT_FALSE(pacer.writable_at(kStart + 1s));
  pacer.wrote(30'000, kStart + 1s);
  EXPECT_EQ(pacer.writable_at(kStart + 1s), kStart + 11s);
  pacer.read(4'000, kStart + 1s);
  EXPECT_EQ(pacer.writable_at(kStart + 1s), kStart + 7s);
  pacer.read(6'000, kStart + 1s);
  EXPECT_FALSE(pacer.writable_at(kStart + 1s));
}

TEST(Pacer, TakesAnySize) {
  constexpr std::size_t kMost = ~std::size_t{0};
  Pacer slow({.bytes_per_second = 1, .ahead = 0});
  slow.wrote(kMost, kStart);
  EXPECT_GT(slow.writable_at(kStart), kStart + 24h);
  Pacer fast({.bytes_per_second = kMost, .ahead = kMost});
  fast.wrote(kMost, kStart);
  EXPECT_FALSE(fast.writable_at(kStart));
}

TEST(Pacer, NothingASecondIsNone) { EXPECT_THROW(Pacer({.bytes_per_second = 0}), Error); }

}  // namespace
}  // namespace extproc::exchange
