#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace extproc::envoy_config {

/// `ProcessingMode.BodySendMode`, but for GRPC, which Envoy's filter treats as NONE.
enum class BodyMode : std::uint8_t {
  none,
  streamed,
  buffered,
  buffered_partial,
  full_duplex_streamed,
};

inline constexpr BodyMode kBodyModes[] = {BodyMode::none, BodyMode::streamed, BodyMode::buffered,
                                          BodyMode::buffered_partial,
                                          BodyMode::full_duplex_streamed};

/// Envoy's name: "FULL_DUPLEX_STREAMED".
std::string_view to_string(BodyMode mode);
std::optional<BodyMode> parse_body_mode(std::string_view name);

}  // namespace extproc::envoy_config
