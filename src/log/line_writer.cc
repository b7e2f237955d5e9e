#include "log/line_writer.h"

#include <pthread.h>

#include <csignal>
#include <system_error>
#include <utility>
#include <vector>

namespace extproc::log {
namespace {

/// Signals are for other threads, and a closed pipe is told by an error.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_{};
};

struct Known {
  std::mutex mutex;
  std::vector<std::weak_ptr<LineWriter>> writers;
};

// Never destroyed: writers may end later than what this file has.
Known& known() {
  static Known& all = *new Known;
  return all;
}

}  // namespace

LineQueue::LineQueue(LogFile file, const Settings& settings)
    : settings_(settings), file_(std::move(file)) {}

LineQueue::~LineQueue() = default;

std::uint64_t LineQueue::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

bool LineQueue::put(std::string_view line, bool& taken) {
  const std::lock_guard lock(mutex_);
  taken = !closed_ && waiting_.size() + line.size() <= settings_.queued_bytes;
  if (!taken) {
    ++dropped_;
    return false;
  }
  const bool was_little = waiting_.size() <= settings_.queued_bytes / 2;
  waiting_.append(line);
  if (waits_ || (was_little && waiting_.size() > settings_.queued_bytes / 2)) {
    waits_ = false;
    changed_.notify_one();
  }
  return !std::exchange(begun_, true);
}

bool LineQueue::reopen() {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  reopens_ = true;
  changed_.notify_one();
  return !std::exchange(begun_, true);
}

bool LineQueue::flush(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  ++flushes_;
  changed_.notify_one();
  const bool all = idle_.wait_for(lock, most, [this] { return waiting_.empty() && !writes_; });
  --flushes_;
  return all;
}

bool LineQueue::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  last_write_ = Clock::now() + kLastWrites;
  changed_.notify_one();
  // A write that hangs is noticed by that it takes longer than what it was given.
  return idle_.wait_for(lock, 2 * kLastWrites, [this] { return !begun_ || ended_; });
}

void LineQueue::could_not_begin() {
  const std::lock_guard lock(mutex_);
  begun_ = false;
}

bool LineQueue::gives_up() const {
  const std::lock_guard lock(mutex_);
  return closed_ && Clock::now() >= last_write_;
}

void LineQueue::run() {
  std::unique_lock lock(mutex_);
  do {
    wait_for_work(lock);
    writing_.swap(waiting_);
    writes_ = true;
    add_own(writing_, dropped_ - std::exchange(dropped_told_, dropped_), closed_);
    const bool reopens = std::exchange(reopens_, false);
    lock.unlock();
    std::size_t lost = file_.write(writing_, [this] { return gives_up(); });
    writing_.clear();
    if (reopens) {
      if (const std::string reason = file_.reopen(); !reason.empty()) {
        lost += file_.write(not_reopened(file_.path(), reason), [this] { return gives_up(); });
      }
    }
    lock.lock();
    dropped_ += lost;
    writes_ = false;
    if (waiting_.empty()) idle_.notify_all();
    if (settings_.pause.count() != 0) let_gather(lock);
  } while (!closed_ || (!waiting_.empty() && Clock::now() < last_write_));
  ended_ = true;
  idle_.notify_all();
}

void LineQueue::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto has_work = [this] { return !waiting_.empty() || reopens_ || closed_; };
  while (!has_work()) {
    waits_ = true;
    const auto time = own_time();
    if (!time) {
      changed_.wait(lock);
    } else if (!changed_.wait_until(lock, *time, has_work)) {
      break;
    }
  }
  waits_ = false;
}

void LineQueue::let_gather(std::unique_lock<std::mutex>& lock) {
  changed_.wait_for(lock, settings_.pause, [this] {
    return closed_ || reopens_ || flushes_ != 0 || waiting_.size() > settings_.queued_bytes / 2;
  });
}

bool LineWriter::put(std::string_view line) {
  bool taken = false;
  if (queue_->put(line, taken)) begin();
  return taken;
}

void LineWriter::reopen() {
  if (queue_->reopen()) begin();
}

void LineWriter::begin() {
  const std::lock_guard lock(thread_mutex_);
  try {
    const NoSignals inherited;
    thread_ = std::thread([queue = queue_] { queue->run(); });
    ::pthread_setname_np(thread_.native_handle(), queue_->settings_.thread_name);
  } catch (const std::system_error&) {
    // The next line tries again.
    queue_->could_not_begin();
  }
}

void LineWriter::close() {
  const bool ended = queue_->close();
  const std::lock_guard lock(thread_mutex_);
  if (!thread_.joinable()) return;
  ended ? thread_.join() : thread_.detach();
}

void LineWriter::reopen_with_all(const std::shared_ptr<LineWriter>& writer) {
  const std::lock_guard lock(known().mutex);
  std::erase_if(known().writers, [](const auto& each) { return each.expired(); });
  known().writers.push_back(writer);
}

void LineWriter::reopen_all() {
  const std::lock_guard lock(known().mutex);
  for (const auto& each : known().writers) {
    if (const auto writer = each.lock()) writer->reopen();
  }
}

}  // namespace extproc::log
