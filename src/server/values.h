#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/values.h"
#include "extproc/log.h"

namespace extproc::server {

// How the values of settings are written as text. Each gives nothing for a text that it does not
// take.

/// "0" to "65535".
std::optional<int> parse_port(std::string_view text);
using extproc::parse_bytes;
using extproc::parse_count;
using extproc::parse_seconds;
/// t, true, y, yes, 1, on or f, false, n, no, 0, off, in any case.
std::optional<bool> parse_switch(std::string_view text);
/// DEBUG, INFO, WARNING or WARN, ERROR, CRITICAL, OFF, in any case.
std::optional<LogLevel> parse_log_level(std::string_view text);

/// text, json, in any case.
std::optional<LogFormat> parse_log_format(std::string_view text);

/// In lower case: a token of RFC 9110, that a processor may add to a response.
std::optional<std::string> parse_header_name(std::string_view text);
/// Of any headers, separated by commas.
std::optional<std::vector<std::string>> parse_header_names(std::string_view text);

/// "5", "0.25": to the millisecond, as parse_seconds() takes it.
std::string plain_seconds(std::chrono::milliseconds time);
/// "5 s", "0.25 s": to the millisecond.
std::string seconds_text(std::chrono::milliseconds time);

// What they accept, for refuse_value().
inline constexpr std::string_view kAcceptedPort = "a port from 0 to 65535";
using extproc::kAcceptedBytes;
using extproc::kAcceptedCount;
using extproc::kAcceptedSeconds;
inline constexpr std::string_view kAcceptedSwitch =
    "one of t, true, y, yes, 1, on, f, false, n, no, 0, off";
inline constexpr std::string_view kAcceptedLogLevel =
    "one of DEBUG, INFO, WARNING, ERROR, CRITICAL, OFF";
inline constexpr std::string_view kAcceptedLogFormat = "one of text, json";
inline constexpr std::string_view kAcceptedHeaderName =
    "the name of a header, other than \"host\" and those that begin with \":\"";
inline constexpr std::string_view kAcceptedHeaderNames =
    "names of headers, with commas between them";

/// Throws Error: `<setting> is "<value>": it must be <accepted>`.
[[noreturn]] void refuse_value(std::string_view setting, std::string_view value,
                               std::string_view accepted);

using extproc::kLongestTime;

}  // namespace extproc::server
