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

  void hold() { hold(gate_time_); }
  /// With work whose time counts as that of `kind`.
  void hold(ServiceTime& kind) {
    pool.submit(gate_, io.get_executor(), kind, BlockingPool::kNoHurry);
    gate_.wait_until_held();
    holds_ = true;
  }
  Job& submit(std::string name, TimeLeft time = {.certain = 160ms}) {
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

/// What Envoy's message_timeout leaves, as far as the server was told.
constexpr TimeLeft kTold{.told = 160ms};

TEST_F(Pool, WhatTheQueueMakesTooLateForTheToldTimeIsNotBegun) {
  service_time.took(100ms);
  hold();
  submit("late", kTold);
  pass(61ms);
  submit("in time", kTold);
  let_go();
  EXPECT_THAT(refused, ElementsAre("late"));
  EXPECT_THAT(run, ElementsAre("in time"));
}

TEST_F(Pool, WhatTakesLongerByItselfThanTheToldTimeIsRunHoweverLongItWaited) {
  service_time.took(161ms);
  hold();
  submit("a", kTold);
  submit("b", kTold);
  pass(1h);
  submit("c", kTold);
  let_go();
  EXPECT_THAT(refused, IsEmpty());
  EXPECT_THAT(run, ::testing::UnorderedElementsAre("a", "b", "c"));
}

TEST_F(Pool, WhatTakesLongerThanTheToldTimeIsStillBoundByTheQueue) {
  service_time.took(161ms);
  hold();
  for (const char* name : {"a", "b", "c", "over"}) submit(name, kTold);
  let_go();
  EXPECT_THAT(refused, ElementsAre("over"));
}

TEST_F(Pool, WhatTakesLongerThanTheCertainTimeIsNotBegunBehindOthers) {
  service_time.took(300ms);
  hold();
  submit("by its fallback", {.certain = 250ms, .told = 160ms});
  submit("by what the server was told", {.certain = 350ms, .told = 160ms});
  let_go();
  EXPECT_THAT(refused, ElementsAre("by its fallback"));
  EXPECT_THAT(run, ElementsAre("by what the server was told"));
}

// Envoy's time may be the one that was told, and the load too much.
TEST_F(Pool, WhatTakesLongerThanTheToldTimeGoesNewestFirstWhereTheOldestHasWaitedHalfOfThat) {
  service_time.took(1s);
  hold();
  submit("old", kTold);
  pass(80ms);
  submit("new", kTold);
  let_go();
  EXPECT_THAT(run, ElementsAre("old", "new"));

  run.clear();
  hold();
  submit("old", kTold);
  pass(81ms);
  submit("new", kTold);
  let_go();
  EXPECT_THAT(run, ElementsAre("new", "old"));
}

/// The bounds that work which was slow for a while has, each shorter than that.
class AfterASlowPeriod : public Pool, public ::testing::WithParamInterface<TimeLeft> {
 protected:
  /// Two come at once to a free thread that the first takes, and the second waits for.
  void submit_two() {
    hold(service_time);
    submit("second", GetParam());
    pass(takes);
    let_go();
  }
};

TEST_P(AfterASlowPeriod, JobsRunBehindOthersAgainWithinAFew) {
  takes = 5s;
  for (int i = 0; i < 3; ++i) {
    submit("slow", GetParam());
    let_go();
  }
  takes = 2ms;
  for (unsigned i = 0; i < ServiceTime::kMemory; ++i) submit_two();
  EXPECT_EQ(service_time.expected(), 2ms);
  refused.clear();
  submit_two();
  EXPECT_EQ(run.back(), "second");
  EXPECT_THAT(refused, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Bounds, AfterASlowPeriod,
                         ::testing::Values(TimeLeft{.certain = 160ms}, kTold),
                         [](const auto& tested) {
                           return std::string(tested.param.told == 160ms ? "Told" : "Certain");
                         });

TEST_F(Pool, WorkIsMeasuredHoweverLongItTook) {
  takes = 10s;
  submit("long");
  let_go();
  EXPECT_EQ(service_time.expected(), 10s);
  hold();
  submit("had no time", {.certain = -1ms});
  let_go();
  EXPECT_THAT(refused, ElementsAre("had no time"));
  EXPECT_EQ(service_time.expected(), 10s);
}

TEST(ServiceTime, IsTheLongestOfTheLast) {
  ServiceTime time;
  EXPECT_EQ(time.expected(), 0ms);
  for (int i = 0; i < 100; ++i) {
    time.took(i % (ServiceTime::kMemory / 2) == 0 ? 100ms : 2ms);
    EXPECT_EQ(time.expected(), 100ms);
  }
}

TEST(ServiceTime, ForgetsASlowOneBehindAFewThatAreQuick) {
  // Wherever in a half of its memory that was.
  for (unsigned before = 0; before < ServiceTime::kMemory; ++before) {
    ServiceTime time;
    for (unsigned i = 0; i < before; ++i) time.took(2ms);
    time.took(5s);
    for (unsigned i = 0; i < ServiceTime::kMemory / 2 - 1; ++i) {
      time.took(2ms);
      EXPECT_EQ(time.expected(), 5s);
    }
    for (unsigned i = 0; i < ServiceTime::kMemory / 2 + 1; ++i) time.took(2ms);
    EXPECT_EQ(time.expected(), 2ms);
  }
}

}  // namespace
}  // namespace extproc::detail
