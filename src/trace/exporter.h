#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/logger.h"
#include "extproc/trace_settings.h"
#include "trace/span_queue.h"

namespace extproc::trace {

/// Sends spans, from a thread of its own. Any thread.
class Exporter {
 public:
  /// The one of the process with these settings. Throws Error where they are wrong, or there is no
  /// thread to be had.
  static std::shared_ptr<Exporter> of(const TraceSettings& settings, const Logger& logger);

  /// `settings` are right. `what`: what it sends, for the log; records of logs have the same frame.
  Exporter(const TraceSettings& settings, const Logger& logger, std::string_view what = "spans");
  /// Sends what waits, in TraceSettings::last_send; what is left then is dropped.
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  /// It lives as long as this.
  SpanQueue& queue();
  Figures figures() const;
  /// Who takes them: "localhost:4318".
  const std::string& peer() const;

 private:
  class Sender;

  /// The thread has a share in it: one that hangs in looking up a name is left behind.
  const std::shared_ptr<Sender> sender_;
  std::thread thread_;
};

}  // namespace extproc::trace
