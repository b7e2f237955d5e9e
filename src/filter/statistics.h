#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/counters.h"

namespace extproc::filter {

/// The rows of EXTPROC_COUNTERS that mean something inside Envoy.
#define EXTPROC_FILTER_COUNTERS(ROW) \
  ROW(streams_started)               \
  ROW(streams_failed)                \
  ROW(streams_over_limit)            \
  ROW(messages)                      \
  ROW(immediate_responses)           \
  ROW(handler_failures) ROW(misused_answers) ROW(fallbacks) ROW(early_ends) ROW(refused_jobs)
#define EXTPROC_FILTER_GAUGES(ROW) ROW(streams_open) ROW(memory_bytes)

/// Envoy's statistics of a filter: what its workers count.
class Statistics {
 public:
// NOLINTNEXTLINE(bugprone-macro-parentheses): a sum of as many
#define EXTPROC_ONE(name) +1
  static constexpr std::size_t kCounters = 0 EXTPROC_FILTER_COUNTERS(EXTPROC_ONE);
  static constexpr std::size_t kGauges = 0 EXTPROC_FILTER_GAUGES(EXTPROC_ONE);
#undef EXTPROC_ONE
  /// What Envoy has been told of a worker.
  struct Told {
    std::array<std::uint64_t, kCounters> counters{};
    std::array<std::uint64_t, kGauges> gauges{};
  };

  /// What handlers of streams that Envoy has let go of still have a part in: once no other stream
  /// comes, nobody could tell Envoy that they are over.
  struct Outlived {
#define EXTPROC_ONE(name) std::uint64_t name = 0;
    EXTPROC_FILTER_GAUGES(EXTPROC_ONE)
#undef EXTPROC_ONE
  };

  /// Defines them under Envoy's metrics_namespace. In http_filter_config_new; null for none.
  explicit Statistics(void* envoy_config);

  /// Tells Envoy what has changed, on behalf of an HTTP stream, on its worker.
  void tell(void* envoy, const Counters& counters, const Outlived& outlived, Told& told) const;

 private:
  bool defined_ = false;
  std::array<std::size_t, kCounters> counters_{};
  std::array<std::size_t, kGauges> gauges_{};
};

}  // namespace extproc::filter
