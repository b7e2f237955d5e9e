// Which jobs the blocking threads run, in which order, and which they do not.

#include "extproc/detail/blocking_pool.h"

#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace extproc::detail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using End = BlockingJob::End;

std::atomic<BlockingPool::Clock::duration> fake_now{1h};

BlockingPool::Clock::time_point now() { return BlockingPool::Clock::time_point{fake_now.load()}; }

/// One thread that is held up, and what becomes of the jobs behind that.
class Pool : public ::testing::Test {
 protected:
  class Job final : public BlockingJob {
   public:
    Job(Pool& test, std::string name) : test_(test), name_(std::move(name)) {}

   private:
    void run() noexcept override {
      test_.run.push_back(name_);
      pass(test_.takes);
    }
    void ended(End how) noexcept override {
      if (how == End::refused) test_.refused.push_back(name_);
      if (how == End::unwanted) test_.unwanted.push_back(name_);
      ++test_.told;
    }

    Pool& test_;
    std::string name_;
  };

  /// Keeps the thread until it is let go.
  class Gate final : public BlockingJob {
   public:
    void wait_until_held() { held_.acquire(); }
    void open() { open_.release(); }

   private:
    void run() noexcept override {
      held_.release();
      open_.acquire();
    }
    void ended(End) noexcept override {}

    std::binary_semaphore held_{0};
    std::binary_semaphore open_{0};
  };

  Pool() { fake_now = 1h; }
  // Whatever the test left there.
  ~Pool() override {
    if (holds_) let_go();
  }

  void hold() {
    pool.submit(gate_, io.get_executor(), gate_time_, BlockingPool::kNoHurry);
    gate_.wait_until_held();
    holds_ = true;
  }
  Job& submit(std::string name, std::chrono::nanoseconds time = 160ms) {
    jobs_.push_back(std::make_unique<Job>(*this, std::move(name)));
    pool.submit(*jobs_.back(), io.get_executor(), service_time, time);
    return *jobs_.back();
  }
  /// Runs the loop until the end of all jobs was told.
  void let_go() {
    if (std::exchange(holds_, false)) gate_.open();
    io.run();
    io.restart();
    while (pool.busy()) std::this_thread::yield();
  }
  static void pass(std::chrono::milliseconds time) { fake_now = fake_now.load() + time; }

  boost::asio::io_context io{1};
  BlockingPool pool{1, 3, &now};
  ServiceTime service_time;
  std::chrono::milliseconds takes{0};
  std::vector<std::string> run, refused, unwanted;
  std::size_t told = 0;

 private:
  Gate gate_;
  ServiceTime gate_time_;
  bool holds_ = false;
  std::vector<std::unique_ptr<Job>> jobs_;
};

TEST_F(Pool, TheOldestGoesFirst) {
  hold();
  for (const char* name : {"a", "b", "c"}) submit(name);
  let_go();
  EXPECT_THAT(run, ElementsAre("a", "b", "c"));
  EXPECT_THAT(refused, IsEmpty());
}

TEST_F(Pool, TheNewestGoesFirstWhileTheOldestHasWaitedLong) {
  hold();
  submit("old");
  submit("without hurry", BlockingPool::kNoHurry);
  pass(90ms);
  submit("new");
  let_go();
  EXPECT_THAT(run, ElementsAre("new", "without hurry", "old"));
}

TEST_F(Pool, WhatCannotEndInTimeIsNotBegun) {
  service_time.took(100ms);
  hold();
  submit("late");
  pass(30ms);
  submit("in time");
  pass(31ms);
  submit("without hurry", BlockingPool::kNoHurry);
  let_go();
  EXPECT_THAT(refused, ElementsAre("late"));
  EXPECT_THAT(run, ElementsAre("without hurry", "in time"));
}

TEST_F(Pool, WhatIsLateMakesRoomForOthers) {
  hold();
  for (const char* name : {"a", "b", "c"}) submit(name);
  pass(161ms);
  submit("d");
  EXPECT_EQ(io.poll(), 3U);
  EXPECT_THAT(refused, ElementsAre("a", "b", "c"));
  let_go();
  EXPECT_THAT(run, ElementsAre("d"));
}

TEST_F(Pool, OverItsBoundAJobIsRefusedAtOnce) {
  hold();
  for (const char* name : {"a", "b", "c"}) submit(name, BlockingPool::kNoHurry);
  submit("over", BlockingPool::kNoHurry);
  io.poll();
  EXPECT_THAT(refused, ElementsAre("over"));
  let_go();
  EXPECT_THAT(run, ElementsAre("a", "b", "c"));
}

TEST_F(Pool, WhatIsWithdrawnDoesNotRunAndLeavesItsPlace) {
  hold();
  Job& first = submit("first", BlockingPool::kNoHurry);
  submit("second", BlockingPool::kNoHurry);
  submit("third", BlockingPool::kNoHurry);
  pool.withdraw(first);
  pool.withdraw(first);
  submit("fourth", BlockingPool::kNoHurry);
  EXPECT_EQ(io.poll(), 1U);
  EXPECT_THAT(unwanted, ElementsAre("first"));
  let_go();
  EXPECT_THAT(run, ElementsAre("second", "third", "fourth"));
  EXPECT_THAT(refused, IsEmpty());
  EXPECT_EQ(told, 4U);
}

TEST_F(Pool, WithdrawingWhatHasRunDoesNothing) {
  Job& job = submit("a");
  let_go();
  pool.withdraw(job);
  EXPECT_EQ(io.poll(), 0U);
  EXPECT_THAT(run, ElementsAre("a"));
  EXPECT_EQ(told, 1U);
}

TEST_F(Pool, AnExpectationThatIsTooHighIsMeasuredAnewWhereAThreadIsFree) {
  service_time.took(1h);
  submit("alone");
  let_go();
  EXPECT_THAT(run, ElementsAre("alone"));
  EXPECT_LT(service_time.expected(), 1h);
  // Those that come a moment before it is free are refused.
  for (int i = 0; i < 100'000 && service_time.expected() > 1ms; ++i) {
    submit("again");
    let_go();
  }
  EXPECT_LE(service_time.expected(), 1ms);
  refused.clear();
  hold();
  submit("behind others");
  let_go();
  EXPECT_EQ(run.back(), "behind others");
  EXPECT_THAT(refused, IsEmpty());
}

TEST_F(Pool, WorkThatTookMoreThanItsTimeIsExpectedToTakeAllOfThat) {
  takes = 10s;
  submit("long");
  let_go();
  EXPECT_EQ(service_time.expected(), 160ms);
  hold();
  submit("had no time", -1ms);
  let_go();
  EXPECT_THAT(refused, ElementsAre("had no time"));
  EXPECT_EQ(service_time.expected(), 160ms);
}

TEST(ServiceTime, IsNearTheLongestOfLate) {
  ServiceTime time;
  EXPECT_EQ(time.expected(), 0ms);
  // One of ten is long.
  for (int i = 0; i < 100; ++i) time.took(i % 10 == 0 ? 100ms : 2ms);
  EXPECT_GT(time.expected(), 70ms);
  time.took(100ms);
  EXPECT_EQ(time.expected(), 100ms);
  for (int i = 0; i < 300; ++i) time.took(2ms);
  EXPECT_LT(time.expected(), 3ms);
}

}  // namespace
}  // namespace extproc::detail
