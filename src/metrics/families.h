#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/span_ids.h"

namespace extproc::metrics {

/// One of the measurements in a bucket.
struct Exemplar {
  SpanIds ids{};
  double value = 0;
  /// In seconds since the epoch.
  double time = 0;
};

/// What a histogram says: of each bucket how many there are in it, and in none before it.
struct Distribution {
  /// Upper bounds, rising, of all buckets but the last.
  std::vector<double> bounds{};
  std::vector<double> counts{};
  double sum = 0;
  /// As many as buckets, or none.
  std::vector<std::optional<Exemplar>> exemplars{};
};

enum class Kind : std::uint8_t {
  counter,
  gauge,
  histogram,
  info,  ///< always 1; its labels are what it says
};

/// What two series of the same labels come to, as of a processor that is served twice.
enum class Join : std::uint8_t { sum, least, most };

using LabelPairs = std::vector<std::pair<std::string, std::string>>;

struct Series {
  LabelPairs labels{};
  double value = 0;
  /// Of a histogram, in place of the value.
  Distribution distribution{};
};

/// All series of one name.
struct Family {
  /// As Prometheus has it: that of a counter ends in "_total", that of an info in "_info".
  std::string name;
  Kind kind;
  std::string help;
  std::vector<Series> series{};

  void add(LabelPairs labels, double value, Join join = Join::sum);
  /// Of one with other bounds, the first alone stays.
  void add(LabelPairs labels, Distribution distribution);
};

/// What a scrape says, in the order in which it was put together.
class Families {
 public:
  /// The one of that name, made where there is none; it stays where it is.
  Family& get(std::string_view name, Kind kind, std::string_view help);

  const std::deque<Family>& all() const { return all_; }

 private:
  std::deque<Family> all_;
};

}  // namespace extproc::metrics
