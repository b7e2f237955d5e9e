#include "server/grace_period.h"

namespace extproc::server {
namespace {

using Clock = std::chrono::steady_clock;

/// After the streams were ended, for handlers that hear of it, and for last answers.
constexpr std::chrono::milliseconds kTimeToReturn{500};

}  // namespace

void GracePeriod::begin(std::chrono::milliseconds time) {
  const std::lock_guard lock(mutex_);
  const auto end_at = Clock::now() + time;
  if (!end_at_ || end_at < *end_at_) end_at_ = end_at;
  changed_.notify_all();
}

void GracePeriod::note_end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

bool GracePeriod::wait(const std::function<std::size_t()>& still_running) {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    if (!end_at_) {
      changed_.wait(lock);
    } else if (const auto over = *end_at_ + kTimeToReturn; Clock::now() < over) {
      changed_.wait_until(lock, over);
    } else {
      lock.unlock();
      if (still_running() != 0) return false;
      lock.lock();
      changed_.wait_for(lock, kTimeToReturn);
    }
  }
  return true;
}

}  // namespace extproc::server
