#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "extproc/pace.h"

namespace extproc::exchange {

/// Keeps a handler to its pace: says when it may write again.
class Pacer {
 public:
  using Clock = std::chrono::steady_clock;

  /// Throws Error where it is none.
  explicit Pacer(const Pace& pace);

  void read(std::size_t bytes, Clock::time_point now);
  void wrote(std::size_t bytes, Clock::time_point now);
  /// Nothing: at once.
  std::optional<Clock::time_point> writable_at(Clock::time_point now) const;

 private:
  Clock::duration time_for(std::size_t bytes) const;

  const Pace pace_;
  std::size_t unused_ = 0;     // of what was read
  Clock::time_point even_at_;  // when nothing is ahead any more
};

}  // namespace extproc::exchange
