#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "extproc/log.h"
#include "extproc/phase.h"

namespace extproc {

struct TraceContext;

/// What a line is about; lines of one kind are bounded together.
enum class LineKind : std::uint8_t {
  other,
  server,
  connection,
  phase,
  failure,
  slow_handler,
  refused_job,
  malformed_message,
  misused_answer,
  over_limit,
};
inline constexpr std::size_t kLineKinds = 10;

/// What a line says, in parts, each once: how they are put together is for who takes it. As text
/// it is "processor: phase event for request id: detail", without what is empty or not there.
struct LogLine {
  LogLevel level = LogLevel::info;
  LineKind kind = LineKind::other;
  std::string_view event{};
  std::string_view detail{};
  std::string_view processor{};
  std::optional<Phase> phase{};
  /// Of lines about a request; empty where its id is not known.
  std::optional<std::string_view> request_id{};
  /// Of those too, where there are traces; else null.
  const TraceContext* trace = nullptr;
};

/// Lines that did not get to where they should go.
struct LostLines {
  /// They came faster than they were taken, or could not be written.
  std::uint64_t dropped = 0;
  /// There were too many of their kind.
  std::uint64_t left_out = 0;
};

/// Takes lines whose level is enabled. Any thread, several at once.
class LineSink {
 public:
  virtual ~LineSink() = default;

  virtual void take(const LogLine& line) = 0;
  /// Its file, where it has one, is opened anew.
  virtual void reopen() {}
  virtual LostLines lost() const { return {}; }
};

/// The log of one server: a level and where lines go. Any thread; copies share both.
class Logger {
 public:
  Logger(LogLevel level, std::shared_ptr<LineSink> sink)
      : level_(std::make_shared<std::atomic<LogLevel>>(level)), sink_(std::move(sink)) {}

  LogLevel level() const { return level_->load(std::memory_order_relaxed); }
  void set_level(LogLevel level) const { level_->store(level, std::memory_order_relaxed); }
  bool enabled(LogLevel level) const { return level >= this->level(); }
  /// Hands the line on when its level is enabled. A sink that throws loses the line, nothing else.
  void log(const LogLine& line) const noexcept;
  void log(LogLevel level, LineKind kind, std::string_view event) const noexcept {
    log({.level = level, .kind = kind, .event = event});
  }

  void reopen() const { sink_->reopen(); }
  LostLines lost() const { return sink_->lost(); }

 private:
  std::shared_ptr<std::atomic<LogLevel>> level_;
  std::shared_ptr<LineSink> sink_;
};

}  // namespace extproc
