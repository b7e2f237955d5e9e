#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>

#include "base/logger.h"
#include "log/log_file.h"

namespace extproc::log {

/// What may wait to be written, in bytes. As much again may be under way.
inline constexpr std::size_t kQueuedBytes = std::size_t{256} << 10;
/// How long the end of a writer waits for who reads what is left.
inline constexpr std::chrono::milliseconds kLastWrites{200};

/// Writes lines from a thread of its own, which begins with the first line, so that whoever has a
/// line waits for nobody: lines that come faster than they are written are dropped, and too many of
/// a kind left out; both are told in a line when there is room for it.
class LogWriter final : public LineSink {
 public:
  LogWriter(LogFormat format, LogFile file);
  /// Closes it.
  ~LogWriter() override;
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  void take(const LogLine& line) override;
  void reopen() override;
  LostLines lost() const override;

  /// Waits until all lines that it took are written; false when they are not after `most`.
  bool flush(std::chrono::milliseconds most);
  /// Writes what is left, in kLastWrites, and ends the thread. Later lines are dropped.
  void close();

 private:
  class Queue;

  void begin();

  /// The thread has a share in it: one that hangs in a write is left behind.
  const std::shared_ptr<Queue> queue_;
  std::mutex thread_mutex_;
  std::thread thread_;
};

}  // namespace extproc::log
