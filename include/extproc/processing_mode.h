#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace extproc {

/// How Envoy sends a body to the processor:
/// `envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode`, with its numbers.
enum class BodySendMode : std::uint8_t {
  none = 0,                  ///< not at all
  streamed = 1,              ///< each chunk as it comes; each is answered
  buffered = 2,              ///< the whole body as one message
  buffered_partial = 3,      ///< one message with as much as Envoy's buffer takes
  full_duplex_streamed = 4,  ///< chunks in both directions, independent of each other
  grpc = 5,                  ///< as full_duplex_streamed, a message for each gRPC message
};

/// Envoy's name for the mode, as in "FULL_DUPLEX_STREAMED".
constexpr std::string_view to_string(BodySendMode mode) {
  constexpr std::string_view kNames[] = {
      "NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED", "GRPC"};
  return kNames[static_cast<std::uint8_t>(mode)];
}

/// Whether the answers are `streamed_response`, any number of them.
constexpr bool is_full_duplex(BodySendMode mode) {
  return mode >= BodySendMode::full_duplex_streamed;
}

/// Whether Envoy sends headers or trailers: `ProcessingMode.HeaderSendMode`, with its numbers.
enum class HeaderSendMode : std::uint8_t { send = 1, skip = 2 };

/// What the rest of one HTTP request is to be sent as, in place of the filter's processing_mode:
/// `ProcessingResponse.mode_override`. A member that is left unset stays as it is.
struct ModeOverride {
  std::optional<HeaderSendMode> response_header_mode{};
  std::optional<BodySendMode> request_body_mode{};
  std::optional<BodySendMode> response_body_mode{};
  std::optional<HeaderSendMode> request_trailer_mode{};
  std::optional<HeaderSendMode> response_trailer_mode{};
  /// Only of use to clients that send request headers again; Envoy does not.
  std::optional<HeaderSendMode> request_header_mode{};

  friend bool operator==(const ModeOverride&, const ModeOverride&) = default;
};

/// How the filter is set up: `envoy.service.ext_proc.v3.ProtocolConfiguration`. Envoy sends it on a
/// stream's first message, other clients need not.
struct ProtocolConfiguration {
  BodySendMode request_body_mode = BodySendMode::none;
  BodySendMode response_body_mode = BodySendMode::none;
  bool send_body_without_waiting_for_header_response = false;

  friend bool operator==(const ProtocolConfiguration&, const ProtocolConfiguration&) = default;
};

}  // namespace extproc
