#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "extproc/export.h"

namespace extproc {

/// How much a log line matters. `debug` tells what comes and what is answered: phases, headers,
/// sizes of bodies, modes; secrets among the headers by their size alone
/// (Settings::redacted_headers).
enum class LogLevel : std::uint8_t { debug, info, warning, error, critical, off };

EXTPROC_API std::string_view to_string(LogLevel level);

/// How the log that is not handed to a LogSink writes a line.
enum class LogFormat : std::uint8_t {
  /// "<time> : <level> : <message>", the time in UTC as RFC 3339 has it.
  text,
  /// A JSON object with "time", "level" and "message", and "processor", "phase", "request_id" and
  /// "trace_id" where the line is about one.
  json
};

/// Takes each log line that passes the level of the settings. It is called from any of the server's
/// threads, several at once, and must not throw; `message` is valid during the call, has no newline
/// and at most 4 KiB: what is longer is cut, and says so. What a peer, or an exception, brought
/// into it cannot change how a terminal shows the line: control characters, marks of the writing
/// direction and bytes that are no UTF-8 are escaped.
///
/// The server waits for it. What must not hold the server up belongs on a thread of its own, as
/// log_to_stderr has one; and a peer can make lines as fast as it sends, which log_to_stderr
/// bounds.
using LogSink = std::function<void(LogLevel level, std::string_view message)>;

/// The log where the settings name neither a sink nor a file: a line of LogFormat::text on standard
/// error. Returns at once: a thread writes the lines, and ends with the process within half a
/// second. Nothing waits for who reads them: where 256 KiB wait to be written, further ones are
/// dropped; and of each kind of line (those that come through this function are one kind) at most
/// 100 a second are written. How many were not is counted, and told in a line.
EXTPROC_API void log_to_stderr(LogLevel level, std::string_view message);

}  // namespace extproc
