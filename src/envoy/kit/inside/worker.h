#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

namespace extproc::testing::envoy {

/// One of Envoy's workers: its thread is the one that runs what is posted to it.
class Worker {
 public:
  explicit Worker(std::uint32_t index = 0) : index_(index) {}

  std::uint32_t index() const { return index_; }
  /// Any thread.
  void post(std::function<void()> work);
  /// What was posted so far. False where nothing was.
  bool run_posted();
  /// The same; where nothing was, waits for it, for `most`.
  bool run_posted(std::chrono::nanoseconds most);

 private:
  const std::uint32_t index_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> posted_;
};

}  // namespace extproc::testing::envoy
