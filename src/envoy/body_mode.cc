#include "envoy/body_mode.h"

namespace extproc::envoy_config {

std::string_view to_string(BodyMode mode) {
  switch (mode) {
    case BodyMode::none:
      return "NONE";
    case BodyMode::streamed:
      return "STREAMED";
    case BodyMode::buffered:
      return "BUFFERED";
    case BodyMode::buffered_partial:
      return "BUFFERED_PARTIAL";
    case BodyMode::full_duplex_streamed:
      return "FULL_DUPLEX_STREAMED";
  }
  return "";
}

std::optional<BodyMode> parse_body_mode(std::string_view name) {
  for (const BodyMode mode : kBodyModes) {
    if (name == to_string(mode)) return mode;
  }
  return std::nullopt;
}

}  // namespace extproc::envoy_config
