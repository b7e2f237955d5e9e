#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/counters.h"
#include "metrics/families.h"
#include "metrics/span_ids.h"

namespace extproc::metrics {

/// How long something took, how often: what one thread counts and any thread reads.
class Durations {
 public:
  /// The upper bounds of the buckets, included. 200 ms is Envoy's message_timeout.
  static constexpr std::array<std::chrono::microseconds, 15> kBounds = {
      std::chrono::microseconds(10),        std::chrono::microseconds(50),
      std::chrono::microseconds(100),       std::chrono::microseconds(300),
      std::chrono::microseconds(1'000),     std::chrono::microseconds(3'000),
      std::chrono::microseconds(10'000),    std::chrono::microseconds(30'000),
      std::chrono::microseconds(100'000),   std::chrono::microseconds(200'000),
      std::chrono::microseconds(300'000),   std::chrono::microseconds(1'000'000),
      std::chrono::microseconds(3'000'000), std::chrono::microseconds(10'000'000),
      std::chrono::microseconds(60'000'000)};

  void add(std::chrono::nanoseconds duration) { add_to(bucket_of(duration), duration); }
  /// The same, and what was traced of it: the last of each bucket is kept.
  void add(std::chrono::nanoseconds duration, const SpanIds& span);

  /// Adds what is counted to `sum`.
  void read(Distribution& sum) const;

 private:
  /// The last exemplar of each bucket, where there was one.
  struct Exemplars;
  struct DeleteExemplars {
    void operator()(Exemplars* exemplars) const;
  };

  static std::size_t bucket_of(std::chrono::nanoseconds duration) {
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && duration > kBounds[bucket]) ++bucket;
    return bucket;
  }
  void add_to(std::size_t bucket, std::chrono::nanoseconds duration) {
    counts_[bucket].add();
    if (duration.count() > 0) nanoseconds_.add(static_cast<std::uint64_t>(duration.count()));
  }

  std::array<extproc::Counter, kBounds.size() + 1> counts_;
  extproc::Counter nanoseconds_;
  std::atomic<Exemplars*> exemplars_{nullptr};
  std::unique_ptr<Exemplars, DeleteExemplars> own_exemplars_;
};

}  // namespace extproc::metrics
