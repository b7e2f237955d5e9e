#include "extproc/metrics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include "metrics/durations.h"
#include "metrics/registry.h"
#include "metrics/thread_cells.h"

namespace extproc::metrics {

std::span<const double> duration_bounds() {
  static const auto kBounds = [] {
    std::array<double, Durations::kBounds.size()> seconds{};
    std::ranges::transform(Durations::kBounds, seconds.begin(),
                           [](auto bound) { return static_cast<double>(bound.count()) / 1e6; });
    return seconds;
  }();
  return kBounds;
}

Counter::Counter(std::string_view name, std::string_view help, Labels labels)
    : cell_(Registry::instance().counter(name, help, std::move(labels))) {}

void Counter::add(double amount) const {
  if (amount >= 0 && std::isfinite(amount)) ThreadCells::add(cell_, amount);
}

Gauge::Gauge(std::string_view name, std::string_view help, Labels labels)
    : value_(&Registry::instance().gauge(name, help, std::move(labels))) {}

void Gauge::set(double value) const { value_->store(value, std::memory_order_relaxed); }

void Gauge::add(double amount) const { value_->fetch_add(amount, std::memory_order_relaxed); }

Histogram::Histogram(std::string_view name, std::string_view help, Labels labels,
                     std::span<const double> bounds) {
  const auto cells = Registry::instance().histogram(name, help, std::move(labels), bounds);
  first_cell_ = cells.first;
  bounds_ = cells.bounds;
}

void Histogram::observe(double value) const {
  if (!std::isfinite(value)) return;
  const auto bucket =
      static_cast<std::uint32_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin());
  ThreadCells::add(first_cell_ + bucket, 1);
  ThreadCells::add(first_cell_ + static_cast<std::uint32_t>(bounds_.size()) + 1, value);
}

}  // namespace extproc::metrics
