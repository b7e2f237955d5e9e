#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "extproc/export.h"

namespace extproc {

/// How much a log line matters. `debug` has a line for the start and the end of each phase.
enum class LogLevel : std::uint8_t { debug, info, warning, error, critical, off };

EXTPROC_API std::string_view to_string(LogLevel level);

/// Takes each log line that passes the level of the settings. It is called from any of the server's
/// threads, several at once, and must not throw; `message` is valid during the call and has no
/// newline at its end.
using LogSink = std::function<void(LogLevel level, std::string_view message)>;

/// The sink used where the settings give none: one line to standard error, with time and level.
EXTPROC_API void log_to_stderr(LogLevel level, std::string_view message);

}  // namespace extproc
