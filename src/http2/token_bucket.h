#pragma once

#include <chrono>
#include <cstdint>

namespace extproc::http2 {

/// Lets `burst` things happen at once, and `per_second` of them in the long run.
class TokenBucket {
 public:
  using Clock = std::chrono::steady_clock;

  TokenBucket(std::uint32_t per_second, std::uint32_t burst);

  /// False when it is one too many. `now` may stand still, but not go back.
  bool take(Clock::time_point now);

 private:
  double per_second_;
  double burst_;
  double tokens_;
  Clock::time_point filled_at_{};
};

}  // namespace extproc::http2
