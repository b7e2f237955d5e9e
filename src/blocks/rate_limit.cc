#include "extproc/rate_limit.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "extproc/error.h"

namespace extproc {

namespace {
namespace rate_limit {

constexpr double kRounding = 1e-9;

void check(double value, const char* name) {
  if (std::isfinite(value) && value > 0) return;
  throw Error(std::string(name) + " of a rate limit is " + std::to_string(value) +
              ": it must be more than 0");
}

void check_tokens(double tokens) {
  if (std::isfinite(tokens) && tokens >= 0) return;
  throw Error("a rate limit is asked for " + std::to_string(tokens) +
              " tokens: it must be 0 or more");
}

using Seconds = std::chrono::duration<double>;

/// Rounded up, so that who waits for it is not too early; never more than can be said.
std::chrono::nanoseconds wait_for(double missing, double per_second) {
  const double nanoseconds = std::ceil(missing / per_second * 1e9);
  constexpr auto kMost = std::chrono::nanoseconds::max();
  return nanoseconds >= static_cast<double>(kMost.count())
             ? kMost
             : std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds));
}

}  // namespace rate_limit
}  // namespace

class RateLimiter::Shard {
 public:
  struct Bucket {
    std::string key;
    double tokens;
    Clock::time_point at;
  };

  /// Calls `use` with the bucket as it is `now`.
  template <class Use>
  void with(std::string_view key, const RateLimitSettings& settings, std::size_t most,
            Clock::time_point now, const Use& use) {
    const std::lock_guard lock(mutex_);
    auto found = by_key_.find(key);
    if (found == by_key_.end()) {
      if (buckets_.size() >= most) {
        // The node of the one that is forgotten is used again.
        by_key_.erase(buckets_.back().key);
        buckets_.splice(buckets_.begin(), buckets_, std::prev(buckets_.end()));
        buckets_.front() = {std::string(key), settings.burst, now};
      } else {
        buckets_.push_front({std::string(key), settings.burst, now});
      }
      by_key_.emplace(buckets_.front().key, buckets_.begin());
    } else {
      buckets_.splice(buckets_.begin(), buckets_, found->second);
    }
    Bucket& bucket = buckets_.front();
    // Threads read the clock before they wait for the lock: an earlier one can come later.
    if (now > bucket.at) {
      const double passed = rate_limit::Seconds(now - bucket.at).count();
      bucket.tokens = std::min(settings.burst, bucket.tokens + passed * settings.per_second);
      bucket.at = now;
    }
    use(bucket);
  }

  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return buckets_.size();
  }

 private:
  std::mutex mutex_;
  std::list<Bucket> buckets_;  // the one that was used last in front
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_key_;
};

RateLimiter::RateLimiter(const RateLimitSettings& settings) : settings_(settings) {
  rate_limit::check(settings.per_second, "per_second");
  rate_limit::check(settings.burst, "burst");
  if (settings.keys == 0) throw Error("keys of a rate limit is 0: it must be more than 0");
  shards_ = std::make_unique<Shard[]>(kShards);
}
RateLimiter::~RateLimiter() = default;

RateLimiter::Shard& RateLimiter::shard_of(std::string_view key) {
  return shards_[std::hash<std::string_view>()(key) % kShards];
}

RateLimiter::Decision RateLimiter::take(std::string_view key, double tokens,
                                        Clock::time_point now) {
  rate_limit::check_tokens(tokens);
  Decision decision;
  const std::size_t most = std::max<std::size_t>(1, settings_.keys / kShards);
  shard_of(key).with(key, settings_, most, now, [&](Shard::Bucket& bucket) {
    // Who waits as long as it was told is not refused for what sums lose in their last digits.
    const double missing = tokens - bucket.tokens;
    decision.allowed = missing <= rate_limit::kRounding * settings_.burst;
    if (decision.allowed) {
      bucket.tokens = std::max(0.0, -missing);
    } else if (tokens > settings_.burst) {
      decision.retry_after = std::chrono::nanoseconds::max();
    } else {
      decision.retry_after = rate_limit::wait_for(missing, settings_.per_second);
    }
    decision.remaining = bucket.tokens;
  });
  return decision;
}

RateLimiter::Decision RateLimiter::charge(std::string_view key, double tokens,
                                          Clock::time_point now) {
  rate_limit::check_tokens(tokens);
  Decision decision{.allowed = true};
  const std::size_t most = std::max<std::size_t>(1, settings_.keys / kShards);
  shard_of(key).with(key, settings_, most, now, [&](Shard::Bucket& bucket) {
    bucket.tokens = std::max(-settings_.burst, bucket.tokens - tokens);
    decision.remaining = bucket.tokens;
  });
  return decision;
}

std::size_t RateLimiter::size() const {
  std::size_t size = 0;
  for (std::size_t i = 0; i < kShards; ++i) size += shards_[i].size();
  return size;
}

}  // namespace extproc
