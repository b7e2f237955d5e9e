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

/// Waits until the lines that were logged are written, to whatever file; false when those of one
/// are not after `most`. For ends of the process that run no destructors.
bool flush(std::chrono::milliseconds most);

}  // namespace extproc::log
