#include "log/log_writer.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "log/line_rates.h"
#include "log/line_text.h"

namespace extproc::log {
namespace {

using Clock = std::chrono::steady_clock;

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

}  // namespace

/// Bounds the lines of each kind, and tells of those that were lost.
class LogWriter::Queue final : public LineQueue {
 public:
  Queue(LogFormat format, LogFile file)
      : LineQueue(std::move(file), {.queued_bytes = kQueuedBytes, .thread_name = "extproc-log"}),
        format_(format) {}

  LogFormat format() const { return format_; }
  std::string text_of(const LogLine& line) const {
    return std::string(written(line, format_, std::chrono::system_clock::now()).text());
  }
  /// False where the line is to be left out.
  bool admit(const LogLine& line) {
    const std::lock_guard lock(mutex());
    const bool untold = rates_.untold();
    if (rates_.admit(line, second_of(Clock::now()))) return true;
    // The thread is to tell of it when the second is over.
    if (!untold) wake();
    return false;
  }
  std::uint64_t left_out() const {
    const std::lock_guard lock(mutex());
    return rates_.left_out();
  }

 private:
  void add_own(std::string& lines, std::uint64_t dropped, bool last) override;
  std::optional<Clock::time_point> own_time() const override {
    if (!rates_.untold()) return std::nullopt;
    return second_of(Clock::now()) + std::chrono::seconds(1);
  }
  std::string not_reopened(const std::string& path, const std::string& reason) override {
    return text_of({.level = LogLevel::error,
                    .kind = LineKind::server,
                    .event = "the log goes on in the file that was open, since \"" + path +
                             "\" cannot be opened anew",
                    .detail = reason});
  }

  const LogFormat format_;
  LineRates rates_;
};

void LogWriter::Queue::add_own(std::string& lines, std::uint64_t dropped, bool last) {
  if (dropped != 0) {
    lines += text_of({.level = LogLevel::warning,
                      .kind = LineKind::server,
                      .event = std::to_string(dropped) +
                               " lines of the log were dropped: they came faster than they were "
                               "taken"});
  }
  if (!rates_.untold()) return;
  rates_.tell(
      second_of(Clock::now()), last, [&](LineKind kind, LogLevel level, std::uint64_t left_out) {
        lines += text_of({.level = level,
                          .kind = kind,
                          .event = std::to_string(left_out) + " more lines about " +
                                   std::string(subject_of(kind)) + " were left out: " +
                                   std::to_string(kLinesPerSecond) + " a second are written"});
      });
}

LogWriter::LogWriter(LogFormat format, LogFile file)
    : queue_(std::make_shared<Queue>(format, std::move(file))), writer_(queue_) {}

LogWriter::~LogWriter() = default;

void LogWriter::take(const LogLine& line) {
  if (!queue_->admit(line)) return;
  writer_.put(written(line, queue_->format(), std::chrono::system_clock::now()).text());
}

LostLines LogWriter::lost() const { return {queue_->dropped(), queue_->left_out()}; }

}  // namespace extproc::log
