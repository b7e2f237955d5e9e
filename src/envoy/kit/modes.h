#pragma once

#include <cstdint>
#include <optional>

#include "extproc/processing_mode.h"
#include "wire/request_reader.h"

namespace extproc::testing::envoy {

using wire::BodyMode;

/// `ProcessingMode.HeaderSendMode`, with its numbers.
enum class HeaderMode : std::uint8_t { use_default = 0, send = 1, skip = 2 };

/// `ProcessingMode`, with what Envoy does where a field is left out.
struct ProcessingMode {
  HeaderMode request_header = HeaderMode::use_default;
  HeaderMode response_header = HeaderMode::use_default;
  BodyMode request_body = BodyMode::none;
  BodyMode response_body = BodyMode::none;
  HeaderMode request_trailer = HeaderMode::use_default;
  HeaderMode response_trailer = HeaderMode::use_default;
};

/// The same as a processor asks for it: a body mode that is left out is NONE to Envoy, too.
inline ModeOverride as_override(const ProcessingMode& mode) {
  const auto header = [](HeaderMode asked) -> std::optional<HeaderSendMode> {
    if (asked == HeaderMode::use_default) return std::nullopt;
    return static_cast<HeaderSendMode>(asked);
  };
  return {.response_header_mode = header(mode.response_header),
          .request_body_mode = mode.request_body,
          .response_body_mode = mode.response_body,
          .request_trailer_mode = header(mode.request_trailer),
          .response_trailer_mode = header(mode.response_trailer),
          .request_header_mode = header(mode.request_header)};
}

}  // namespace extproc::testing::envoy
