#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "extproc/headers.h"
#include "extproc/phase.h"

namespace extproc::wire {

/// `ProcessingMode.BodySendMode`, with its numbers.
enum class BodyMode : std::uint8_t {
  none = 0,
  streamed = 1,
  buffered = 2,
  buffered_partial = 3,
  full_duplex_streamed = 4,
  grpc = 5,
};

/// `ProtocolConfiguration`: how the filter is set up. Envoy sends it on a stream's first message.
struct ProtocolConfig {
  BodyMode request_body_mode = BodyMode::none;
  BodyMode response_body_mode = BodyMode::none;
  bool send_body_without_waiting_for_header_response = false;
};

/// A `ProcessingRequest`. Its views refer to the bytes that it was read from.
struct RequestMessage {
  /// Which member of the oneof is set; nothing when none is.
  std::optional<Phase> phase;
  /// Of headers and bodies.
  bool end_of_stream = false;
  /// Of bodies.
  std::string_view body;
  bool observability_mode = false;
  std::optional<ProtocolConfig> protocol_config;
};

/// Reads a serialised `envoy.service.ext_proc.v3.ProcessingRequest`; headers and trailers go to
/// `entries`, which is emptied first. As protobuf does, it skips unknown fields, lets the last of a
/// oneof win, and merges repeated messages. False when the bytes are not a protobuf message; the
/// outputs are then of no use.
bool read_request(std::string_view bytes, RequestMessage& message, std::vector<Header>& entries);

}  // namespace extproc::wire
