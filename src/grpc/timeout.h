#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace extproc::grpc {

/// The longest time that parse_timeout gives, so that it can be added to any time of a clock.
inline constexpr std::chrono::hours kLongestTimeout{10 * 365 * 24};

/// The value of grpc-timeout: one to eight digits and a unit (H, M, S, m, u, n). Nothing when it is
/// malformed.
std::optional<std::chrono::nanoseconds> parse_timeout(std::string_view value);

}  // namespace extproc::grpc
