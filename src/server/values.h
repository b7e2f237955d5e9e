#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "extproc/log.h"

namespace extproc::server {

// How the values of settings are written as text. Each gives nothing for a text that it does not
// take.

/// "0" to "65535".
std::optional<int> parse_port(std::string_view text);
/// Seconds from 0 to kLongestTime, a fraction may follow: "5", "0.25".
std::optional<std::chrono::milliseconds> parse_seconds(std::string_view text);
/// t, true, y, yes, 1, on or f, false, n, no, 0, off, in any case.
std::optional<bool> parse_switch(std::string_view text);
/// DEBUG, INFO, WARNING or WARN, ERROR, CRITICAL, OFF, in any case.
std::optional<LogLevel> parse_log_level(std::string_view text);

/// The longest time that a setting may have.
inline constexpr std::chrono::hours kLongestTime{24 * 365};

/// Whether the name is one that a processor may add to a response: a token of RFC 9110, in lower
/// case as HTTP/2 asks.
bool is_header_name(std::string_view name);

/// In lower case, ASCII only.
std::string lower(std::string_view text);

}  // namespace extproc::server
