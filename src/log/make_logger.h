#pragma once

#include <chrono>
#include <string>

#include "base/logger.h"
#include "extproc/log.h"

namespace extproc::log {

/// Where lines go. Where there is a sink the others do not count.
struct Destination {
  LogSink sink{};
  LogFormat format = LogFormat::text;
  /// Empty: standard error.
  std::string file{};
};

/// All loggers of a process to the same file and in the same format share one writer, and with it
/// its bounds. Throws Error when the file cannot be written to.
Logger make_logger(LogLevel level, const Destination& destination);

/// Waits until the lines for standard error are written; false when they are not after `most`.
bool flush_stderr(std::chrono::milliseconds most);

}  // namespace extproc::log
