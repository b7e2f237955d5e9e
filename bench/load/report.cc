#include "report.h"

#include <algorithm>
#include <limits>
#include <sstream>

namespace bench::load {
namespace {

constexpr std::size_t kMostLatencies = 4'000'000;

}  // namespace

void Report::add_latency(std::chrono::nanoseconds latency) {
  if (latencies_.size() == kMostLatencies) return;
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  latencies_.push_back(
      static_cast<std::uint32_t>(std::min<std::chrono::nanoseconds::rep>(latency.count(), kMost)));
}

double Report::percentile_us(double share) const {
  if (latencies_.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(latencies_.size() - 1));
  return static_cast<double>(latencies_[at]) / 1000.0;
}

std::string Report::to_json(double seconds) {
  std::sort(latencies_.begin(), latencies_.end());
  std::ostringstream out;
  out << "{\"completed\": " << completed << ", \"failed\": " << failed
      << ", \"seconds\": " << seconds << ", \"latency_us\": {\"p50\": " << percentile_us(0.5)
      << ", \"p99\": " << percentile_us(0.99) << ", \"p999\": " << percentile_us(0.999) << "}}";
  return out.str();
}

}  // namespace bench::load
