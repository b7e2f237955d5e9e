#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/metrics.h"
#include "metrics/families.h"

namespace extproc::metrics {

/// The metrics of the program that uses the library, by name. Any thread.
class Registry {
 public:
  static Registry& instance();

  // Each throws Error where the name, the labels or the bounds are not right, or not those of the
  // family; what they give stays valid.

  std::uint32_t counter(std::string_view name, std::string_view help, Labels labels);
  std::atomic<double>& gauge(std::string_view name, std::string_view help, Labels labels);
  struct HistogramCells {
    /// One for each bucket, and that of the sum behind them.
    std::uint32_t first;
    std::span<const double> bounds;
  };
  HistogramCells histogram(std::string_view name, std::string_view help, Labels labels,
                           std::span<const double> bounds);

  void collect(Families& families) const;

 private:
  struct OneSeries {
    std::uint32_t first_cell = 0;
    std::atomic<double> gauge{0};
  };
  struct OneFamily {
    Kind kind = Kind::counter;
    std::string help;
    std::vector<std::string> label_names;
    std::vector<double> bounds;
    std::map<Labels, OneSeries> series;
  };

  OneSeries& series(Kind kind, std::string_view name, std::string_view help, Labels labels,
                    std::span<const double> bounds, std::uint32_t cells);

  mutable std::mutex mutex_;
  std::map<std::string, OneFamily, std::less<>> families_;
  std::size_t series_ = 0;
};

}  // namespace extproc::metrics
