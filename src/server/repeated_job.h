#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace extproc::server {

/// Does something on a thread of its own whenever it is asked to; asked meanwhile, once more behind
/// it. The thread begins with the first time.
class RepeatedJob {
 public:
  /// It must not throw.
  explicit RepeatedJob(std::function<void()> job) : job_(std::move(job)) {}
  /// Waits for it.
  ~RepeatedJob();
  RepeatedJob(const RepeatedJob&) = delete;
  RepeatedJob& operator=(const RepeatedJob&) = delete;

  void ask();
  /// It is not done any more; false where it has not returned within the time.
  bool end(std::chrono::milliseconds most);

 private:
  void run();

  const std::function<void()> job_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;
  bool running_ = false;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace extproc::server
