#include "grpc/deadline_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace extproc::grpc {
namespace {

using namespace std::chrono_literals;
using Clock = DeadlineWheel::Clock;

struct Fake final : DeadlineWheel::Entry {
  void on_deadline() noexcept override {
    ++fired;
    if (act) act();
  }
  int fired = 0;
  std::function<void()> act;
};

constexpr Clock::time_point kStart{1000h};

TEST(DeadlineWheel, FiresOnceAtMostOneTickLateAndNeverEarly) {
  for (const auto delay : {1ns, 1'000'000ns, 9'999'999ns, 10'000'000ns, 10'000'001ns,
                           1'000'000'000ns, 10'240'000'000ns, 33'333'333'333ns}) {
    DeadlineWheel wheel;
    wheel.expire(kStart);
    Fake fake;
    wheel.add(fake, kStart + delay);
    Clock::time_point now = kStart;
    while (fake.fired == 0 && now < kStart + 60s) wheel.expire(now += DeadlineWheel::kTick);
    EXPECT_EQ(fake.fired, 1) << delay.count();
    EXPECT_GE(now, kStart + delay);
    EXPECT_LE(now, kStart + delay + DeadlineWheel::kTick);
    EXPECT_TRUE(wheel.empty());
    wheel.expire(now + 100s);
    EXPECT_EQ(fake.fired, 1);
  }
}

TEST(DeadlineWheel, CatchesUpAfterAPauseOfAnyLength) {
  for (const auto pause : {10ms, 10'230ms, 10'240ms, 10'250ms, 1'000'000ms}) {
    DeadlineWheel wheel;
    wheel.expire(kStart);
    std::vector<Fake> fakes(50);
    for (std::size_t i = 0; i < fakes.size(); ++i)
      wheel.add(fakes[i], kStart + pause * static_cast<int>(i + 1) / 50);
    wheel.expire(kStart + pause);
    for (const Fake& fake : fakes) EXPECT_EQ(fake.fired, 1) << pause.count();
  }
}

TEST(DeadlineWheel, FiresADeadlineThatHasPassedAtTheNextTick) {
  DeadlineWheel wheel;
  wheel.expire(kStart);
  Fake fake;
  wheel.add(fake, kStart - 1h);
  EXPECT_FALSE(wheel.empty());
  wheel.expire(kStart + DeadlineWheel::kTick);
  EXPECT_EQ(fake.fired, 1);
}

TEST(DeadlineWheel, ForgetsWhatIsRemovedMovedOrDestroyed) {
  DeadlineWheel wheel;
  Fake removed;
  Fake moved;
  wheel.add(removed, kStart);
  wheel.add(moved, kStart);
  wheel.add(moved, kStart + 1h);
  DeadlineWheel::remove(removed);
  DeadlineWheel::remove(removed);
  {
    Fake destroyed;
    wheel.add(destroyed, kStart);
  }
  wheel.expire(kStart + 1s);
  EXPECT_EQ(removed.fired, 0);
  EXPECT_EQ(moved.fired, 0);
  EXPECT_FALSE(wheel.empty());
  wheel.expire(kStart + 2h);
  EXPECT_EQ(moved.fired, 1);
  EXPECT_TRUE(wheel.empty());
}

TEST(DeadlineWheel, LetsAnEntryChangeOthersWhenItFires) {
  DeadlineWheel wheel;
  Fake again;
  Fake first;
  auto second = std::make_unique<Fake>();
  first.act = [&] {
    second.reset();
    wheel.add(again, kStart);
  };
  wheel.add(first, kStart);
  wheel.add(*second, kStart);
  wheel.expire(kStart + 1s);
  EXPECT_EQ(first.fired, 1);
  EXPECT_EQ(second, nullptr);
  wheel.expire(kStart + 2s);
  EXPECT_EQ(again.fired, 1);
}

TEST(DeadlineWheel, TellsWhenItIsNeededAgain) {
  int told = 0;
  DeadlineWheel wheel([&] { ++told; });
  Fake first, second;
  wheel.add(first, kStart);
  EXPECT_EQ(told, 1);
  wheel.add(second, kStart);
  EXPECT_EQ(told, 1);
  DeadlineWheel::remove(first);
  wheel.add(first, kStart);
  EXPECT_EQ(told, 1);
  wheel.expire(kStart + 1s);
  EXPECT_TRUE(wheel.empty());
  wheel.add(first, kStart + 2s);
  EXPECT_EQ(told, 2);
  DeadlineWheel::remove(first);
  // Also when an entry that fires adds itself again.
  int again = 1;
  second.act = [&] {
    if (again-- > 0) wheel.add(second, kStart + 4s);
  };
  wheel.add(second, kStart + 3s);
  EXPECT_EQ(told, 3);
  wheel.expire(kStart + 3s);
  EXPECT_EQ(told, 4);
  EXPECT_FALSE(wheel.empty());
  wheel.expire(kStart + 5s);
  EXPECT_EQ(second.fired, 3);
  EXPECT_TRUE(wheel.empty());
}

TEST(DeadlineWheel, AgreesWithASortedListOnRandomDeadlines) {
  std::mt19937 random(1);
  DeadlineWheel wheel;
  wheel.expire(kStart);
  std::vector<Fake> fakes(2000);
  std::vector<Clock::time_point> times;
  for (Fake& fake : fakes) {
    times.push_back(kStart + std::chrono::microseconds(random() % 40'000'000));
    wheel.add(fake, times.back());
  }
  Clock::time_point now = kStart;
  while (!wheel.empty()) {
    now += std::chrono::milliseconds(random() % 300);
    wheel.expire(now);
    for (std::size_t i = 0; i < fakes.size(); ++i) {
      if (fakes[i].fired == 1) {
        ASSERT_LE(times[i], now);
      } else {
        ASSERT_GT(times[i] + DeadlineWheel::kTick, now);
      }
    }
  }
}

}  // namespace
}  // namespace extproc::grpc
