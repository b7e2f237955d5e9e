#pragma once

#include <string_view>
#include <utility>

#include "extproc/log.h"

namespace extproc {

/// The log of one server: a level and where lines go. Any thread.
class Logger {
 public:
  Logger(LogLevel level, LogSink sink) : level_(level), sink_(std::move(sink)) {}

  bool enabled(LogLevel level) const { return level >= level_; }
  /// Hands the line on when its level is enabled, with control characters escaped. A sink that
  /// throws loses the line, nothing else.
  void log(LogLevel level, std::string_view message) const noexcept;

 private:
  LogLevel level_;
  LogSink sink_;
};

}  // namespace extproc
