#pragma once

#include <cstdint>

namespace extproc::exchange {

/// Takes one of so many, at random, so that no rhythm of what comes is missed or met each time.
class Sampler {
 public:
  /// 0: none.
  explicit Sampler(unsigned one_of) : one_of_(one_of) {
    if (one_of_ > 0) left_ = gap();
  }

  bool take() {
    if (--left_ != 0) return false;
    if (one_of_ == 0) return false;
    left_ = gap();
    return true;
  }

 private:
  /// To the next, from 1 to twice the number less 1, the number on average.
  std::uint64_t gap() {
    // xorshift64: enough for a choice that need not be safe from anybody.
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return 1 + state_ % (2 * std::uint64_t{one_of_} - 1);
  }

  std::uint64_t one_of_;
  std::uint64_t left_ = 0;
  std::uint64_t state_ = 0x9e3779b97f4a7c15;
};

}  // namespace extproc::exchange
