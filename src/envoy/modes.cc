#include "envoy/modes.h"

#include <algorithm>

namespace extproc::envoy_config {

std::optional<BodySendMode> parse_body_mode(std::string_view name) {
  const auto* const found =
      std::ranges::find(kBodyModes, name, [](BodySendMode mode) { return to_string(mode); });
  return found == std::end(kBodyModes) ? std::nullopt : std::optional(*found);
}

bool ProcessingMode::sends(Phase phase) const {
  const auto is_sent = [](BodySendMode mode) {
    return mode != BodySendMode::none && mode != BodySendMode::grpc;
  };
  switch (phase) {
    case Phase::request_headers:
      return request_headers != HeaderSendMode::skip;
    case Phase::request_body:
      return is_sent(request_body);
    case Phase::request_trailers:
      return request_trailers == HeaderSendMode::send;
    case Phase::response_headers:
      return response_headers != HeaderSendMode::skip;
    case Phase::response_body:
      return is_sent(response_body);
    case Phase::response_trailers:
      return response_trailers == HeaderSendMode::send;
  }
  return false;
}

ModeOverride as_override(const ProcessingMode& mode) {
  return {.response_header_mode = mode.response_headers,
          .request_body_mode = mode.request_body,
          .response_body_mode = mode.response_body,
          .request_trailer_mode = mode.request_trailers,
          .response_trailer_mode = mode.response_trailers,
          .request_header_mode = mode.request_headers};
}

}  // namespace extproc::envoy_config
