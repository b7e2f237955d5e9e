#include "trace/sampler.h"

#include <array>
#include <cmath>
#include <utility>

namespace extproc {
namespace trace {
namespace {

constexpr auto kSamplerNames = std::to_array<std::pair<TraceSampler, std::string_view>>({
    {TraceSampler::always_on, "always_on"},
    {TraceSampler::always_off, "always_off"},
    {TraceSampler::traceidratio, "traceidratio"},
    {TraceSampler::parentbased_always_on, "parentbased_always_on"},
    {TraceSampler::parentbased_always_off, "parentbased_always_off"},
    {TraceSampler::parentbased_traceidratio, "parentbased_traceidratio"},
});

double share_of(TraceSampler kind, double ratio) {
  switch (kind) {
    case TraceSampler::always_on:
    case TraceSampler::parentbased_always_on:
      return 1;
    case TraceSampler::traceidratio:
    case TraceSampler::parentbased_traceidratio:
      return ratio;
    default:
      return 0;
  }
}

}  // namespace

Sampler::Sampler(TraceSampler kind, double ratio)
    : threshold_(static_cast<std::uint64_t>(std::ldexp(1 - share_of(kind, ratio), 56))),
      parent_based_(kind >= TraceSampler::parentbased_always_on) {}

std::optional<TraceSampler> parse_sampler(std::string_view name) {
  for (const auto& [sampler, its_name] : kSamplerNames) {
    if (its_name == name) return sampler;
  }
  return std::nullopt;
}

}  // namespace trace

std::string_view to_string(TraceSampler sampler) {
  for (const auto& [each, name] : trace::kSamplerNames) {
    if (each == sampler) return name;
  }
  return "unknown";
}

}  // namespace extproc
