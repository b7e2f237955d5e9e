#include "envoy/kit/inside/worker.h"

#include <utility>

namespace extproc::testing::envoy {

void Worker::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(work));
  changed_.notify_all();
}

bool Worker::run_posted() {
  std::deque<std::function<void()>> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(posted_);
  }
  for (auto& work : ready) work();
  return !ready.empty();
}

bool Worker::run_posted(std::chrono::nanoseconds most) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, most, [this] { return !posted_.empty(); });
  }
  return run_posted();
}

}  // namespace extproc::testing::envoy
