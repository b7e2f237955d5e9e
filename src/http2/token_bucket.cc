#include "http2/token_bucket.h"

#include <algorithm>

namespace extproc::http2 {

TokenBucket::TokenBucket(std::uint32_t per_second, std::uint32_t burst)
    : per_second_(per_second), burst_(burst), tokens_(burst) {}

bool TokenBucket::take(Clock::time_point now) {
  const std::chrono::duration<double> elapsed = now - filled_at_;
  filled_at_ = now;
  tokens_ = std::min(burst_, tokens_ + elapsed.count() * per_second_);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

}  // namespace extproc::http2
