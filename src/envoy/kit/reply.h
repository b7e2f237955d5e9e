#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/modes.h"
#include "extproc/phase.h"
#include "extproc/response.h"
#include "extproc/testing.h"

namespace extproc::testing::envoy {

using envoy_config::ProcessingMode;

/// A `HeaderValueOption`, as it was sent.
struct HeaderOption {
  bool has_header = false;
  std::string name;
  std::string value;
  std::string raw_value;
  bool append = false;
};

struct Mutation {
  std::vector<HeaderOption> set;
  std::vector<std::string> remove;
};

struct BodyMutation {
  enum class Kind : std::uint8_t { none, body, clear, streamed };
  Kind kind = Kind::none;
  /// Of `body` and `streamed_response`.
  std::string bytes;
  /// The value of clear_body.
  bool clear = false;
  bool end_of_stream = false;
};

/// A `CommonResponse`, or what a `TrailersResponse` has of it.
struct CommonReply {
  bool replace = false;
  std::optional<Mutation> headers;
  std::optional<BodyMutation> body;
  bool clear_route_cache = false;
  bool has_trailers = false;
};

struct ImmediateReply {
  int status = 0;
  std::optional<Mutation> headers;
  std::string body;
  std::optional<std::uint32_t> grpc_status;
  std::string details;
};

struct StreamedImmediateReply {
  enum class Part : std::uint8_t { none, headers, body, trailers };
  Part part = Part::none;
  HeaderList headers;
  std::string body;
  bool end_of_stream = false;
};

/// A whole `ProcessingResponse`.
struct Reply {
  enum class Kind : std::uint8_t { none, phase, immediate, streamed_immediate };
  Kind kind = Kind::none;
  Phase phase = Phase::request_headers;
  CommonReply common;
  ImmediateReply immediate;
  StreamedImmediateReply streamed;
  std::optional<std::chrono::nanoseconds> override_message_timeout;
  std::optional<ProcessingMode> mode_override;
  /// Namespace to its serialised Struct.
  std::optional<std::map<std::string, std::string>> dynamic_metadata;
  std::vector<ResponseExtras::Typed> typed_dynamic_metadata;
  bool drain_requests = false;
  bool drain_responses = false;
};

/// Throws protozero::exception when the bytes are not a ProcessingResponse.
Reply read_reply(std::string_view bytes);

}  // namespace extproc::testing::envoy
