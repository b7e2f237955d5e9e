#pragma once

#include <algorithm>
#include <chrono>

namespace extproc::detail {

/// The time that is left for an answer, from when it is asked on. max(): nothing bounds it.
struct TimeLeft {
  /// When it is over the answer is of no use: the handler's fallback will have been sent, or the
  /// stream's deadline be over.
  std::chrono::nanoseconds certain = std::chrono::nanoseconds::max();
  /// By the message_timeout that the server was told of (FilterSettings). The filter's own, which
  /// counts, may be longer.
  std::chrono::nanoseconds told = std::chrono::nanoseconds::max();

  std::chrono::nanoseconds shortest() const { return std::min(certain, told); }
};

}  // namespace extproc::detail
