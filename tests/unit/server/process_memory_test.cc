#include "server/process_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace extproc::server {
namespace {

constexpr std::size_t kMega = 1'000'000;
constexpr std::size_t kLimit = 10 * kMega;

/// A thread that does what it is told when the test lets it, with connections of these sizes.
class Holder final : public MemoryHolder {
 public:
  Holder(ProcessMemory& memory, std::vector<std::size_t> connections)
      : memory_(memory), connections_(std::move(connections)) {
    memory_.add(*this);
  }
  ~Holder() {
    memory_.remove(*this);
    jobs.clear();
  }

  std::size_t held() const {
    std::size_t sum = 0;
    for (const std::size_t each : connections_) sum += each;
    return sum;
  }
  void run() {
    while (!jobs.empty()) {
      const std::function<void()> job = std::move(jobs.front());
      jobs.pop_front();
      job();
    }
  }

  std::vector<std::size_t> closed;
  std::deque<std::function<void()>> jobs;

 private:
  void survey(std::shared_ptr<Survey> survey) override {
    jobs.emplace_back([this, survey] {
      if (!connections_.empty()) survey->tell(*this, *std::ranges::max_element(connections_));
    });
  }
  void shed(std::size_t least) override {
    const std::shared_ptr<void> end(nullptr, [this](void*) { memory_.end_shedding(kLimit); });
    jobs.emplace_back([this, least, end] {
      const auto largest = std::ranges::max_element(connections_);
      if (largest == connections_.end() || *largest < least) return;
      closed.push_back(*largest);
      memory_.change(-static_cast<std::ptrdiff_t>(*largest), kLimit);
      connections_.erase(largest);
    });
  }

  ProcessMemory& memory_;
  std::vector<std::size_t> connections_;
};

void run_all(Holder& one, Holder& two) {
  while (!one.jobs.empty() || !two.jobs.empty()) {
    one.run();
    two.run();
  }
}

TEST(ProcessMemory, LeavesConnectionsAloneBelowTheLimit) {
  ProcessMemory memory;
  Holder holder(memory, {4 * kMega, 5 * kMega});
  EXPECT_FALSE(memory.change(static_cast<std::ptrdiff_t>(holder.held()), kLimit));
  holder.run();
  EXPECT_TRUE(holder.closed.empty());
  EXPECT_EQ(memory.held(), 9 * kMega);
}

TEST(ProcessMemory, ClosesTheLargestOfAllThreads) {
  ProcessMemory memory;
  Holder one(memory, {kMega, 2 * kMega});
  Holder two(memory, {6 * kMega, 3 * kMega});
  EXPECT_TRUE(memory.change(static_cast<std::ptrdiff_t>(one.held() + two.held()), kLimit));
  run_all(one, two);
  EXPECT_TRUE(one.closed.empty());
  EXPECT_EQ(two.closed, std::vector<std::size_t>{6 * kMega});
  EXPECT_EQ(memory.held(), 6 * kMega);
}

TEST(ProcessMemory, GoesOnUntilItHolds) {
  ProcessMemory memory;
  Holder one(memory, {9 * kMega, 7 * kMega, kMega});
  Holder two(memory, {8 * kMega, 2 * kMega});
  memory.change(static_cast<std::ptrdiff_t>(one.held() + two.held()), kLimit);
  run_all(one, two);
  EXPECT_EQ(one.closed, (std::vector<std::size_t>{9 * kMega}));
  EXPECT_EQ(two.closed, (std::vector<std::size_t>{8 * kMega}));
  EXPECT_EQ(memory.held(), 10 * kMega);
}

// One survey at a time, however often it is told meanwhile.
TEST(ProcessMemory, AsksOnceAtATime) {
  ProcessMemory memory;
  Holder holder(memory, {20 * kMega});
  for (int i = 0; i < 20; ++i) memory.change(kMega, kLimit);
  EXPECT_EQ(holder.jobs.size(), 1U);
  holder.run();
  EXPECT_EQ(holder.closed.size(), 1U);
  EXPECT_EQ(memory.held(), 0U);
}

// What is too much is held by handlers that still run: connections that hold little are not to pay.
TEST(ProcessMemory, LeavesSmallConnectionsAlone) {
  ProcessMemory memory;
  Holder holder(memory, {1'000, 2'000});
  EXPECT_TRUE(memory.change(20 * kMega, kLimit));
  holder.run();
  EXPECT_TRUE(holder.closed.empty());
  // It is asked again when more comes.
  memory.change(1, kLimit);
  EXPECT_EQ(holder.jobs.size(), 1U);
}

class Account final : public MemoryAccount {
 public:
  Account(Counter& counted, ProcessMemory& memory) : MemoryAccount(counted), memory_(memory) {}

 private:
  bool on_change(std::ptrdiff_t bytes) override { return memory_.change(bytes, kLimit); }
  ProcessMemory& memory_;
};

// A thread that has told of too much is not taken for over the limit when another gave back.
TEST(ProcessMemory, TellsAThreadWhatTheOthersGaveBack) {
  ProcessMemory memory;
  Counter first, second;
  Account one(first, memory), two(second, memory);
  one.add(9 * kMega);
  two.add(2 * kMega);
  EXPECT_TRUE(two.over_limit());
  one.add(-9 * static_cast<std::ptrdiff_t>(kMega));
  EXPECT_FALSE(two.over_limit());
  EXPECT_EQ(first.value(), 0U);
  EXPECT_EQ(second.value(), 2 * kMega);
}

// A thread that is gone does not answer, and the others do not wait for it.
TEST(ProcessMemory, DoesNotWaitForThreadsThatAreGone) {
  ProcessMemory memory;
  Holder stays(memory, {5 * kMega});
  {
    Holder goes(memory, {50 * kMega});
    memory.change(static_cast<std::ptrdiff_t>(stays.held() + goes.held()), kLimit);
    stays.run();
    memory.change(-static_cast<std::ptrdiff_t>(goes.held()), kLimit);
  }
  run_all(stays, stays);
  EXPECT_LE(stays.closed.size(), 1U);
  memory.change(20 * kMega, kLimit);
  EXPECT_FALSE(stays.jobs.empty() && stays.closed.empty());
}

}  // namespace
}  // namespace extproc::server
