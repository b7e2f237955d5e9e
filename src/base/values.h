#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace extproc {

// How values of settings are written as text, wherever they stand. Each gives nothing for a text
// that it does not take.

/// Seconds from 0 to kLongestTime, a fraction may follow: "5", "0.25".
std::optional<std::chrono::milliseconds> parse_seconds(std::string_view text);
/// How many there are of something, without a sign.
std::optional<std::uint64_t> parse_count(std::string_view text);
/// The same of bytes; behind it k, m, g or t for KiB, MiB, GiB, TiB, also as "kb" or "kib", in any
/// case.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

inline constexpr std::string_view kAcceptedSeconds = "a number of seconds, as in \"5\" or \"0.5\"";
inline constexpr std::string_view kAcceptedCount = "a number that is not too large";
inline constexpr std::string_view kAcceptedBytes =
    "a number of bytes, or one with k, m or g behind it for KiB, MiB, GiB, as in \"16m\"";

/// The longest time that a setting may have.
inline constexpr std::chrono::hours kLongestTime{24 * 365};

}  // namespace extproc
