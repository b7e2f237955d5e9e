#include "base/queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <vector>

namespace extproc {
namespace {

TEST(Queue, IsFirstInFirstOut) {
  Queue<int> queue;
  std::deque<int> model;
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 100 < (i / 1000 % 2 == 0 ? 60U : 40U)) {
      queue.push(i);
      model.push_back(i);
    } else if (!model.empty()) {
      ASSERT_EQ(queue.pop(), model.front());
      model.pop_front();
    }
    ASSERT_EQ(queue.size(), model.size());
    ASSERT_EQ(queue.empty(), model.empty());
    if (!model.empty()) {
      ASSERT_EQ(queue.front(), model.front());
      ASSERT_EQ(queue[model.size() / 2], model[model.size() / 2]);
    }
    if (i % 997 == 0) {
      ASSERT_EQ(std::vector<int>(queue.begin(), queue.end()),
                std::vector<int>(model.begin(), model.end()));
    }
  }
  queue.clear();
  EXPECT_TRUE(queue.empty());
}

/// Counts how often one is moved.
struct Moved {
  static inline int moves = 0;

  Moved() = default;
  Moved(Moved&&) noexcept { ++moves; }
  Moved& operator=(Moved&&) noexcept {
    ++moves;
    return *this;
  }
};

// A peer may make it long: taking all of it is linear.
TEST(Queue, MovesEachAFewTimesAtMost) {
  constexpr int kCount = 100'000;
  Queue<Moved> queue;
  for (int i = 0; i < kCount; ++i) queue.emplace();
  Moved::moves = 0;
  for (int i = 0; i < kCount; ++i) queue.pop();
  EXPECT_LE(Moved::moves, 4 * kCount);
}

// What is taken is gone, though its place is still there.
TEST(Queue, KeepsNothingOfWhatWasTaken) {
  Queue<std::shared_ptr<int>> queue;
  const auto one = std::make_shared<int>(1);
  for (int i = 0; i < 10; ++i) queue.push(one);
  for (int i = 0; i < 4; ++i) queue.pop();
  EXPECT_EQ(one.use_count(), 7);
}

}  // namespace
}  // namespace extproc
