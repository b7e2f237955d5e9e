#include "log/line_rates.h"

#include <gmock/gmock.h>

#include <vector>

namespace extproc::log {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Told {
  LineKind kind;
  LogLevel level;
  std::uint64_t lines;

  friend bool operator==(const Told&, const Told&) = default;
};

class LineRatesTest : public ::testing::Test {
 protected:
  /// How many of so many lines are admitted.
  int admitted(LineKind kind, int lines, LogLevel level = LogLevel::warning) {
    int count = 0;
    for (int i = 0; i < lines; ++i)
      count += rates.admit({.level = level, .kind = kind}, now) ? 1 : 0;
    return count;
  }
  std::vector<Told> told(bool last = false) {
    std::vector<Told> all;
    rates.tell(now, last, [&all](LineKind kind, LogLevel level, std::uint64_t lines) {
      all.push_back({kind, level, lines});
    });
    return all;
  }

  LineRates rates;
  LineRates::Seconds now{std::chrono::seconds(1'000)};
};

constexpr int kMost = kLinesPerSecond;

TEST_F(LineRatesTest, AdmitsSoManyOfAKindInASecond) {
  EXPECT_EQ(admitted(LineKind::failure, kMost), kMost);
  EXPECT_FALSE(rates.untold());
  EXPECT_EQ(admitted(LineKind::failure, 7), 0);
  EXPECT_TRUE(rates.untold());
  EXPECT_EQ(rates.left_out(), 7U);
  now += std::chrono::seconds(1);
  EXPECT_EQ(admitted(LineKind::failure, kMost + 2), kMost);
  EXPECT_EQ(rates.left_out(), 9U);
}

TEST_F(LineRatesTest, KindsDoNotCrowdEachOtherOut) {
  EXPECT_EQ(admitted(LineKind::malformed_message, 5 * kMost), kMost);
  EXPECT_EQ(admitted(LineKind::failure, kMost), kMost);
  EXPECT_EQ(admitted(LineKind::server, 1), 1);
}

TEST_F(LineRatesTest, TellsOnceHowManyWereLeftOutWhenTheSecondIsOver) {
  admitted(LineKind::malformed_message, kMost + 5);
  admitted(LineKind::failure, kMost + 3, LogLevel::error);
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_TRUE(rates.untold());
  now += std::chrono::seconds(1);
  EXPECT_THAT(told(), ElementsAre(Told{LineKind::failure, LogLevel::error, 3},
                                  Told{LineKind::malformed_message, LogLevel::warning, 5}));
  EXPECT_FALSE(rates.untold());
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_EQ(rates.left_out(), 8U);
}

TEST_F(LineRatesTest, TheLastTimeItTellsAll) {
  admitted(LineKind::malformed_message, kMost + 5);
  EXPECT_THAT(told(true), ElementsAre(Told{LineKind::malformed_message, LogLevel::warning, 5}));
}

}  // namespace
}  // namespace extproc::log
