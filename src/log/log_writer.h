#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "base/logger.h"
#include "log/line_writer.h"
#include "log/log_file.h"

namespace extproc::log {

/// What may wait to be written, in bytes. As much again may be under way.
inline constexpr std::size_t kQueuedBytes = std::size_t{256} << 10;

/// Writes lines from a thread of its own, so that whoever has a line waits for nobody: lines that
/// come faster than they are written are dropped, and too many of a kind left out; both are told in
/// a line when there is room for it.
class LogWriter final : public LineSink {
 public:
  LogWriter(LogFormat format, LogFile file);
  /// Closes it.
  ~LogWriter() override;
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  void take(const LogLine& line) override;
  void reopen() override { writer_.reopen(); }
  LostLines lost() const override;

  /// As those of LineWriter.
  bool flush(std::chrono::milliseconds most) { return writer_.flush(most); }
  void close() { writer_.close(); }

 private:
  class Queue;

  const std::shared_ptr<Queue> queue_;
  LineWriter writer_;
};

}  // namespace extproc::log
