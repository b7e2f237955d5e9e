#pragma once

#include <span>
#include <string>
#include <string_view>

#include "extproc/phase.h"
#include "metrics/families.h"
#include "metrics/stream_cells.h"

namespace extproc::metrics {

/// What is told of one processor, or chain, besides its cells.
struct StreamsOf {
  std::string_view processor;
  /// Those that have a handler.
  PhaseSet phases;
  /// One of a chain's processors, which has no streams of its own.
  bool in_chain = false;
  /// One of so many streams is timed.
  unsigned sample = 1;
};

/// Adds what all threads have counted of it.
void add_streams(const StreamsOf& of, std::span<const StreamCells* const> cells,
                 Families& families);

}  // namespace extproc::metrics
