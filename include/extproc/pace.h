#pragma once

#include <cstddef>

namespace extproc {

/// How fast a handler may write more than it reads, for BodyStream::set_pace and
/// StreamedResponse::set_pace: what it has written is ahead of what it has read by at most `ahead`,
/// and `bytes_per_second` for each second. Envoy takes all that is written to it, however slowly
/// its own caller (of a request's body: its upstream) reads, and keeps the rest in memory; a pace
/// is what bounds that for a handler that makes more than it reads. A caller that reads at this
/// rate or faster leaves at most `ahead` in Envoy.
struct Pace {
  /// At least 1.
  std::size_t bytes_per_second;
  /// In bytes.
  std::size_t ahead = std::size_t{1} << 20;
};

}  // namespace extproc
