#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "log/log_file.h"

namespace extproc::log {

/// How long the end of a writer waits for who reads what is left.
inline constexpr std::chrono::milliseconds kLastWrites{200};

/// Lines that wait to be written into a file: what the threads that have lines and the one that
/// writes them share. Its owner says what is written besides.
class LineQueue {
 public:
  using Clock = std::chrono::steady_clock;

  struct Settings {
    /// What may wait, in bytes. As much again may be under way.
    std::size_t queued_bytes;
    /// Of the thread: at most 15 characters.
    const char* thread_name;
    /// How long lines gather between two writes, so that not each wakes the thread.
    std::chrono::milliseconds pause{0};
  };

  LineQueue(LogFile file, const Settings& settings);
  virtual ~LineQueue();
  LineQueue(const LineQueue&) = delete;
  LineQueue& operator=(const LineQueue&) = delete;

  std::uint64_t dropped() const;

 protected:
  /// What is to be told besides, by the thread, in front of a write: appends lines. `dropped`: how
  /// many were since it was called last; `last`: nothing follows. Under the mutex.
  virtual void add_own(std::string& lines, std::uint64_t dropped, bool last) = 0;
  /// When add_own() has something to tell though no line comes. Under the mutex.
  virtual std::optional<Clock::time_point> own_time() const { return std::nullopt; }
  /// The line that tells why a file was not opened anew.
  virtual std::string not_reopened(const std::string& path, const std::string& reason) = 0;

  std::mutex& mutex() const { return mutex_; }
  /// For own_time(), which has changed. Under the mutex.
  void wake() { changed_.notify_one(); }

 private:
  friend class LineWriter;

  /// True where a thread is to begin, for the first line.
  bool put(std::string_view line, bool& taken);
  bool reopen();
  bool flush(std::chrono::milliseconds most);
  /// True when the thread has ended, or never began.
  bool close();
  void could_not_begin();
  void run();

  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void let_gather(std::unique_lock<std::mutex>& lock);
  bool gives_up() const;

  const Settings settings_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable idle_;
  std::string waiting_;
  std::uint64_t dropped_ = 0;
  std::uint64_t dropped_told_ = 0;
  unsigned flushes_ = 0;
  bool begun_ = false;
  bool waits_ = false;  // the thread, for work
  bool reopens_ = false;
  bool writes_ = false;
  bool closed_ = false;
  bool ended_ = false;
  Clock::time_point last_write_{};
  // Of the thread alone.
  std::string writing_;
  LogFile file_;
};

/// The thread of a queue, which begins with the first line, so that whoever has a line waits for
/// nobody: lines that come faster than they are written are dropped and counted. Any thread.
class LineWriter {
 public:
  explicit LineWriter(std::shared_ptr<LineQueue> queue) : queue_(std::move(queue)) {}
  /// Closes it.
  ~LineWriter() { close(); }
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// `line` with its newline. False where it was dropped.
  bool put(std::string_view line);
  /// The file is opened anew.
  void reopen();
  /// Waits until all lines that it took are written; false when they are not after `most`.
  bool flush(std::chrono::milliseconds most) { return queue_->flush(most); }
  std::uint64_t dropped() const { return queue_->dropped(); }
  /// Writes what is left, in kLastWrites, and ends the thread. Later lines are dropped.
  void close();

  /// Has reopen_all() know it, for as long as it lives.
  static void reopen_with_all(const std::shared_ptr<LineWriter>& writer);
  static void reopen_all();

 private:
  void begin();

  /// The thread has a share in it: one that hangs in a write is left behind.
  const std::shared_ptr<LineQueue> queue_;
  std::mutex thread_mutex_;
  std::thread thread_;
};

}  // namespace extproc::log
