#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench::load {

/// What a run found out; printed as one line of JSON.
class Report {
 public:
  void add_latency(std::chrono::nanoseconds latency);
  std::string to_json(double seconds);

  std::size_t completed = 0;
  std::size_t failed = 0;

 private:
  double percentile_us(double share) const;

  std::vector<std::uint32_t> latencies_;  // in ns
};

}  // namespace bench::load
