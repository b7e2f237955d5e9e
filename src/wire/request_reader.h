#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/body.h"
#include "extproc/headers.h"
#include "extproc/host.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"

namespace extproc::wire {

/// `ProcessingRequest.FlowControlInit`: what each side may send before it is given more, in bytes.
struct FlowControlInit {
  std::int64_t downstream_to_sidestream = 0;
  std::int64_t sidestream_to_upstream = 0;
  std::int64_t upstream_to_sidestream = 0;
  std::int64_t sidestream_to_downstream = 0;
};

/// `ProcessingRequest.ClientWindowUpdate`, in bytes; may be negative.
struct ClientWindowUpdate {
  std::int64_t sidestream_to_upstream = 0;
  std::int64_t sidestream_to_downstream = 0;
};

/// A `ProcessingRequest`. Its views refer to the bytes that it was read from, and its headers to
/// the entries; it has no source.
struct RequestMessage : host::Message {
  /// `metadata_context`, serialised, where there is one; where it is `in_parts` the last part of
  /// it.
  std::string_view metadata;
  bool metadata_in_parts = false;
  std::optional<FlowControlInit> flow_control_init;
  std::optional<ClientWindowUpdate> client_window_update;
};

/// The headers of one message: what has more is malformed. An empty one of two bytes becomes a
/// Header of 32.
inline constexpr std::size_t kMostHeaders = 65'536;

/// Reads a serialised `envoy.service.ext_proc.v3.ProcessingRequest` into a `message` that is as it
/// was made; headers and trailers go to `entries`, which is emptied first. As protobuf does, it
/// skips unknown fields, lets the last of a oneof win, and merges repeated messages. False when the
/// bytes are not a protobuf message, or have more than kMostHeaders; the outputs are then of no
/// use.
bool read_request(std::string_view bytes, RequestMessage& message, std::vector<Header>& entries);

/// Appends the attributes of a message that has some to `out`, each an entry of the map
/// host::kStoredAttributes.
void store_attributes(std::string_view bytes, std::string& out);

/// Puts the `metadata_context` of `message`, which has one and was read from `bytes`, in place of
/// `out`, serialised.
void store_metadata(std::string_view bytes, const RequestMessage& message, std::string& out);

}  // namespace extproc::wire
