#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/counters.h"
#include "extproc/observer.h"
#include "extproc/phase.h"
#include "extproc/rule.h"
#include "extproc/status.h"
#include "metrics/durations.h"

namespace extproc::metrics {

inline constexpr std::size_t kStatuses = 17;
inline constexpr std::size_t kOutcomes = 6;
/// Of HTTP: 1xx to 5xx.
inline constexpr std::size_t kStatusClasses = 5;

/// What one thread counts of one processor's streams, by more than the table of base/counters.h
/// has. One thread writes, any reads.
struct StreamCells {
  template <class T>
  using ByPhase = std::array<T, kPhaseCount>;
  /// Where messages go.
  struct Flow {
    ByPhase<extproc::Counter> messages;
    ByPhase<extproc::Counter> body_bytes;
  };

  std::array<extproc::Counter, kStatuses> ended;
  ByPhase<std::array<extproc::Counter, kOutcomes>> phases;
  ByPhase<std::array<extproc::Counter, kStatusClasses>> immediate;
  std::array<extproc::Counter, detail::kRuleCount> violations;
  Flow received;
  Flow sent;
  /// Messages that bring no phase, or are none.
  extproc::Counter without_phase;
  Durations open;
  ByPhase<Durations> in_phase;
};

}  // namespace extproc::metrics
