#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/log.h"

namespace extproc::server {

// How the values of settings are written as text. Each gives nothing for a text that it does not
// take.

/// "0" to "65535".
std::optional<int> parse_port(std::string_view text);
/// Seconds from 0 to kLongestTime, a fraction may follow: "5", "0.25".
std::optional<std::chrono::milliseconds> parse_seconds(std::string_view text);
/// How many there are of something, without a sign.
std::optional<std::uint64_t> parse_count(std::string_view text);
/// The same of bytes; behind it k, m, g or t for KiB, MiB, GiB, TiB, also as "kb" or "kib", in any
/// case.
std::optional<std::uint64_t> parse_bytes(std::string_view text);
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
inline constexpr std::string_view kAcceptedSeconds = "a number of seconds, as in \"5\" or \"0.5\"";
inline constexpr std::string_view kAcceptedCount = "a number that is not too large";
inline constexpr std::string_view kAcceptedBytes =
    "a number of bytes, or one with k, m or g behind it for KiB, MiB, GiB, as in \"16m\"";
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

/// The longest time that a setting may have.
inline constexpr std::chrono::hours kLongestTime{24 * 365};

}  // namespace extproc::server
