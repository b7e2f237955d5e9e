#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "extproc/observer.h"
#include "extproc/phase.h"
#include "extproc/status.h"
#include "trace/span_encoder.h"

namespace extproc::trace {

/// What many spans have alike, written once.
class SpanTemplates {
 public:
  /// `processor`: whose streams they are.
  explicit SpanTemplates(std::string_view processor);

  const SpanFields& process() const { return process_; }
  const SpanFields& phase(std::string_view processor, Phase phase);
  const SpanFields& outcome(PhaseOutcome outcome) const {
    return outcomes_[static_cast<std::size_t>(outcome)];
  }
  const SpanFields& status(GrpcStatus status) const {
    return statuses_[static_cast<std::size_t>(status)];
  }

 private:
  static constexpr std::size_t kOutcomes = 6;
  static constexpr std::size_t kStatuses = 17;

  struct OfProcessor {
    /// Where the processor has it; it tells one from the other.
    const char* name;
    std::array<SpanFields, kPhaseCount> phases;
  };

  SpanFields process_;
  std::array<SpanFields, kOutcomes> outcomes_;
  std::array<SpanFields, kStatuses> statuses_;
  std::vector<std::unique_ptr<OfProcessor>> processors_;
};

}  // namespace extproc::trace
