#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "extproc/trace_settings.h"
#include "trace/exporter.h"
#include "trace/span_queue.h"

namespace extproc::call_log {

/// Sends lines as records of OTLP logs, with the thread and the queue that spans have. Any thread.
class OtlpLines {
 public:
  /// Throws Error where the settings are wrong.
  explicit OtlpLines(const TraceSettings& settings);

  struct Record {
    /// Without a newline.
    std::string_view line;
    std::chrono::system_clock::time_point time;
    bool is_error = false;
    /// In hexadecimal digits; empty: none.
    std::string_view trace_id{};
  };
  /// False where one was dropped.
  bool put(const Record& record);
  /// Waits until all are sent or dropped.
  bool flush(std::chrono::milliseconds most) const;
  std::uint64_t dropped() const { return exporter_.figures().dropped; }

 private:
  trace::Exporter exporter_;
  mutable std::mutex mutex_;
  trace::SpanOutbox outbox_;
  std::uint64_t put_ = 0;
};

}  // namespace extproc::call_log
