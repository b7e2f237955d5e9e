#include "server/repeated_job.h"

namespace extproc::server {

RepeatedJob::~RepeatedJob() {
  end(std::chrono::milliseconds::zero());
  if (thread_.joinable()) thread_.join();
}

void RepeatedJob::ask() {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  asked_ = true;
  changed_.notify_all();
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

bool RepeatedJob::end(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  ended_ = true;
  changed_.notify_all();
  return changed_.wait_for(lock, most, [this] { return !running_; });
}

void RepeatedJob::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return asked_ || ended_; });
    if (ended_) return;
    asked_ = false;
    running_ = true;
    lock.unlock();
    job_();
    lock.lock();
    running_ = false;
    changed_.notify_all();
  }
}

}  // namespace extproc::server
