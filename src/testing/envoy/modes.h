#pragma once

#include <cstdint>

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

}  // namespace extproc::testing::envoy
