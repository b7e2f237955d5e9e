#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "extproc/trace.h"
#include "extproc/trace_settings.h"

namespace extproc::trace {

/// Decides which traces are recorded: of one trace the same everywhere.
class Sampler {
 public:
  /// `ratio`: from 0 to 1, for samplers that have one.
  Sampler(TraceSampler kind, double ratio);

  /// `parent`: whether that is recorded; nothing where there is none.
  bool samples(const TraceContext::TraceId& id, std::optional<bool> parent) const {
    if (parent && parent_based_) return *parent;
    // Of the id the last seven bytes are random, whoever made it.
    std::uint64_t random = 0;
    for (std::size_t i = id.size() - 7; i < id.size(); ++i) random = random << 8 | id[i];
    return random >= threshold_;
  }

 private:
  /// Of 2^56, as in OpenTelemetry's `th`: what is below it is not recorded.
  std::uint64_t threshold_ = 0;
  bool parent_based_ = false;
};

/// By its name in OTEL_TRACES_SAMPLER; nothing where there is none such.
std::optional<TraceSampler> parse_sampler(std::string_view name);
inline constexpr std::string_view kAcceptedSampler =
    "one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, "
    "parentbased_traceidratio";

}  // namespace extproc::trace
