#pragma once

#include <chrono>
#include <string>

#include "server/values.h"

namespace extproc::cli {

/// When all must be done.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Deadline(std::chrono::milliseconds time) : time_(time), end_(Clock::now() + time) {}

  Clock::time_point end() const { return end_; }
  /// "1 s", "0.25 s": how long there was.
  std::string text() const { return server::seconds_text(time_); }

 private:
  std::chrono::milliseconds time_;
  Clock::time_point end_;
};

}  // namespace extproc::cli
