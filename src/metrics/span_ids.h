#pragma once

#include <array>
#include <cstdint>

namespace extproc::metrics {

/// A span that is kept, as an exemplar names it.
struct SpanIds {
  std::array<std::uint8_t, 16> trace{};
  std::array<std::uint8_t, 8> span{};
};

}  // namespace extproc::metrics
