#include "log/log_writer.h"

#include <pthread.h>

#include <condition_variable>
#include <csignal>
#include <string>
#include <system_error>
#include <utility>

#include "log/line_rates.h"
#include "log/line_text.h"

namespace extproc::log {
namespace {

using Clock = std::chrono::steady_clock;

/// What waits, and the lines that tell of those that were lost.
constexpr std::size_t kReservedBytes = kQueuedBytes + 2 * kLineBytes;

LineRates::Seconds second_of(Clock::time_point time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

/// What many lines of a kind are about.
std::string_view subject_of(LineKind kind) {
  switch (kind) {
    case LineKind::other:
      break;
    case LineKind::server:
      return "the server";
    case LineKind::connection:
      return "connections";
    case LineKind::phase:
      return "phases";
    case LineKind::failure:
      return "handlers that failed";
    case LineKind::slow_handler:
      return "slow handlers";
    case LineKind::refused_job:
      return "work for blocking threads";
    case LineKind::malformed_message:
      return "malformed messages";
    case LineKind::misused_answer:
      return "misused answers";
    case LineKind::over_limit:
      return "streams over a limit";
  }
  return "other things";
}

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

}  // namespace

/// What the threads that have lines and the one that writes them share.
class LogWriter::Queue {
 public:
  Queue(LogFormat format, LogFile file) : format_(format), file_(std::move(file)) {}

  /// True where a thread is to begin, for the first line.
  bool put(const LogLine& line);
  void run();

  /// True where a thread is to begin.
  bool reopen() {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    reopens_ = true;
    changed_.notify_one();
    return !std::exchange(begun_, true);
  }
  LostLines lost() const {
    const std::lock_guard lock(mutex_);
    return {dropped_, rates_.left_out()};
  }
  bool flush(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    return idle_.wait_for(lock, most, [this] { return waiting_.empty() && !writes_; });
  }
  /// True when the thread has ended, or never began.
  bool close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    last_write_ = Clock::now() + kLastWrites;
    changed_.notify_one();
    // A write that hangs is noticed by that it takes longer than what it was given.
    return idle_.wait_for(lock, 2 * kLastWrites, [this] { return !begun_ || ended_; });
  }
  void could_not_begin() {
    const std::lock_guard lock(mutex_);
    begun_ = false;
  }

 private:
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void take_what_waits();
  void tell_of_lost_lines();
  void add(const LogLine& line) {
    writing_.append(written(line, format_, std::chrono::system_clock::now()).text());
  }
  bool gives_up() const {
    const std::lock_guard lock(mutex_);
    return closed_ && Clock::now() >= last_write_;
  }

  const LogFormat format_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable idle_;
  LineRates rates_;
  std::string waiting_;
  std::uint64_t dropped_ = 0;
  std::uint64_t dropped_told_ = 0;
  bool begun_ = false;
  bool reopens_ = false;
  bool writes_ = false;
  bool closed_ = false;
  bool ended_ = false;
  Clock::time_point last_write_{};
  // Of the thread alone.
  std::string writing_;
  LogFile file_;
};

bool LogWriter::Queue::put(const LogLine& line) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      ++dropped_;
      return false;
    }
    const bool untold = rates_.untold();
    if (!rates_.admit(line, second_of(Clock::now()))) {
      // The thread is to tell of it when the second is over.
      if (!untold) changed_.notify_one();
      return false;
    }
  }
  const LineBuffer text = written(line, format_, std::chrono::system_clock::now());
  const std::lock_guard lock(mutex_);
  if (waiting_.capacity() < kReservedBytes) waiting_.reserve(kReservedBytes);
  if (waiting_.size() + text.size() > kQueuedBytes) {
    ++dropped_;
    return false;
  }
  waiting_.append(text.text());
  changed_.notify_one();
  return !std::exchange(begun_, true);
}

void LogWriter::Queue::run() {
  std::unique_lock lock(mutex_);
  do {
    wait_for_work(lock);
    take_what_waits();
    const bool reopens = std::exchange(reopens_, false);
    lock.unlock();
    std::size_t lost = file_.write(writing_, [this] { return gives_up(); });
    writing_.clear();
    if (reopens) {
      if (const std::string reason = file_.reopen(); !reason.empty()) {
        add({.level = LogLevel::error,
             .kind = LineKind::server,
             .event = "the log goes on in the file that was open, since \"" + file_.path() +
                      "\" cannot be opened anew",
             .detail = reason});
        lost += file_.write(writing_, [this] { return gives_up(); });
        writing_.clear();
      }
    }
    lock.lock();
    dropped_ += lost;
    writes_ = false;
    if (waiting_.empty()) idle_.notify_all();
  } while (!closed_ || (!waiting_.empty() && Clock::now() < last_write_));
  ended_ = true;
  idle_.notify_all();
}

void LogWriter::Queue::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto has_work = [this] { return !waiting_.empty() || reopens_ || closed_; };
  while (!has_work()) {
    if (!rates_.untold()) {
      changed_.wait(lock);
      continue;
    }
    const auto next = second_of(Clock::now()) + std::chrono::seconds(1);
    if (!changed_.wait_until(lock, next, has_work)) return;
  }
}

void LogWriter::Queue::take_what_waits() {
  writing_.swap(waiting_);
  writes_ = true;
  tell_of_lost_lines();
}

void LogWriter::Queue::tell_of_lost_lines() {
  if (const std::uint64_t dropped = dropped_ - std::exchange(dropped_told_, dropped_)) {
    add({.level = LogLevel::warning,
         .kind = LineKind::server,
         .event = std::to_string(dropped) +
                  " lines of the log were dropped: they came faster than they were taken"});
  }
  if (!rates_.untold()) return;
  rates_.tell(
      second_of(Clock::now()), closed_, [this](LineKind kind, LogLevel level, std::uint64_t lines) {
        add({.level = level,
             .kind = kind,
             .event = std::to_string(lines) + " more lines about " + std::string(subject_of(kind)) +
                      " were left out: " + std::to_string(kLinesPerSecond) +
                      " a second are written"});
      });
}

LogWriter::LogWriter(LogFormat format, LogFile file)
    : queue_(std::make_shared<Queue>(format, std::move(file))) {}

LogWriter::~LogWriter() { close(); }

void LogWriter::take(const LogLine& line) {
  if (queue_->put(line)) begin();
}

void LogWriter::reopen() {
  if (queue_->reopen()) begin();
}

void LogWriter::begin() {
  const std::lock_guard lock(thread_mutex_);
  try {
    const NoSignals inherited;
    thread_ = std::thread([queue = queue_] { queue->run(); });
    ::pthread_setname_np(thread_.native_handle(), "extproc-log");
  } catch (const std::system_error&) {
    // The next line tries again.
    queue_->could_not_begin();
  }
}

LostLines LogWriter::lost() const { return queue_->lost(); }

bool LogWriter::flush(std::chrono::milliseconds most) { return queue_->flush(most); }

void LogWriter::close() {
  const bool ended = queue_->close();
  const std::lock_guard lock(thread_mutex_);
  if (!thread_.joinable()) return;
  ended ? thread_.join() : thread_.detach();
}

}  // namespace extproc::log
