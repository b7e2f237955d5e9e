#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
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

  /// `parent`: whether the parent is recorded.
  bool samples(const TraceContext::TraceId& id, bool parent) const {
    return parent_based_ ? parent : samples(id);
  }
  /// Where there is none.
  bool samples(const TraceContext::TraceId& id) const {
    std::uint64_t last = 0;
    std::memcpy(&last, id.data() + sizeof last, sizeof last);
    if constexpr (std::endian::native == std::endian::little) last = __builtin_bswap64(last);
    // Of the id the last seven bytes are random, whoever made it.
    return (last << 8 >> 8) >= threshold_;
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
