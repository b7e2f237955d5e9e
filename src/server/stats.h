#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "extproc/server.h"

namespace extproc::server {

/// What is published of a counter besides its value.
struct CounterInfo {
  std::string_view name;
  CounterKind kind;
  std::string_view help;
};

/// Where a thread counts it, and where the sum over all threads is.
template <class Counted, class Sum>
struct CounterRow {
  CounterInfo info;
  Counter Counted::*counted;
  std::uint64_t Sum::*sum;
};

/// The tables of base/counters.h: kRows of Stats and of ProcessorStats. A member that is missing on
/// one side does not compile.
template <class Sum>
struct CounterTable;

template <>
struct CounterTable<Stats> {
#define EXTPROC_ROW(name, kind, help) \
  {{#name, CounterKind::kind, help}, &Counters::name, &Stats::name},
  static constexpr CounterRow<Counters, Stats> kRows[] = {EXTPROC_COUNTERS(EXTPROC_ROW)};
#undef EXTPROC_ROW
  static_assert(sizeof(Stats) ==
                    std::size(kRows) * sizeof(std::uint64_t) + sizeof(std::vector<ProcessorStats>),
                "a counter of Stats has no row in EXTPROC_COUNTERS");
};

template <>
struct CounterTable<ProcessorStats> {
#define EXTPROC_ROW(name, kind, help) \
  {{#name, CounterKind::kind, help}, &LinkCounters::name, &ProcessorStats::name},
  static constexpr CounterRow<LinkCounters, ProcessorStats> kRows[] = {
      EXTPROC_LINK_COUNTERS(EXTPROC_ROW)};
#undef EXTPROC_ROW
  static_assert(sizeof(ProcessorStats) ==
                    std::size(kRows) * sizeof(std::uint64_t) + sizeof(std::string),
                "a counter of ProcessorStats has no row in EXTPROC_LINK_COUNTERS");
};

/// Adds what one thread has counted.
template <class Counted, class Sum>
void add(const Counted& counters, Sum& sum) {
  for (const auto& row : CounterTable<Sum>::kRows) sum.*row.sum += (counters.*row.counted).value();
}

/// Calls `visit(const CounterInfo&, std::uint64_t value)` for each counter, in the order of the
/// table; of Stats without its processors, which are visited one by one.
template <class Sum, class Visit>
void for_each_counter(const Sum& sum, Visit visit) {
  for (const auto& row : CounterTable<Sum>::kRows) visit(row.info, sum.*row.sum);
}

}  // namespace extproc::server
