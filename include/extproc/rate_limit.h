#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "extproc/export.h"

namespace extproc {

/// How much a key may have.
struct RateLimitSettings {
  /// Tokens that a bucket gets back in a second, until it is full.
  double per_second = 0;
  /// What a full bucket has, as each does that is not known yet.
  double burst = 0;
  /// How many buckets are kept, about 120 bytes and the key each. Beyond it the one that was asked
  /// for least lately is forgotten, and is full when it comes again.
  std::size_t keys = 100'000;
};

/// Token buckets by key: a caller, a tenant, an address. For this process alone. Safe from any
/// thread; keys are spread over locks, each held for less than a microsecond.
class EXTPROC_API RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  /// Throws Error for settings that are no positive, finite numbers.
  explicit RateLimiter(const RateLimitSettings& settings);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  struct Decision {
    bool allowed = false;
    /// What the bucket has now; below 0 after charge().
    double remaining = 0;
    /// After how long the same question would be allowed; 0 where it was, and the largest where it
    /// never will be, as for more than the burst. Rounded up to seconds it is `retry-after`.
    std::chrono::nanoseconds retry_after{};
  };

  /// Takes `tokens` from the key's bucket, all or none. Throws Error for fewer than 0.
  Decision take(std::string_view key, double tokens = 1, Clock::time_point now = Clock::now());
  /// Takes what was used already, where it is known only afterwards, such as the tokens of an
  /// answer: the bucket can be below 0, by at most one burst, and nothing is allowed until it has
  /// recovered.
  Decision charge(std::string_view key, double tokens, Clock::time_point now = Clock::now());

  /// Buckets that are kept.
  std::size_t size() const;

 private:
  class Shard;

  Shard& shard_of(std::string_view key);

  static constexpr std::size_t kShards = 16;
  RateLimitSettings settings_;
  std::unique_ptr<Shard[]>
      shards_;  // NOLINT(modernize-avoid-c-arrays): of a fixed number, not moved
};

}  // namespace extproc
