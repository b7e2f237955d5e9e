#pragma once

#include <chrono>

#include "base/logger.h"
#include "extproc/log.h"
#include "log/line_buffer.h"

namespace extproc::log {

/// The one place where the parts of a line become text: what a LogSink is handed, without time,
/// level and newline.
LineBuffer message_of(const LogLine& line);

/// The line as it is written, with its newline.
LineBuffer written(const LogLine& line, LogFormat format,
                   std::chrono::system_clock::time_point time);

}  // namespace extproc::log
