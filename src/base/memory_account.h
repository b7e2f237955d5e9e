#pragma once

#include <cstddef>
#include <cstdint>

#include "base/counters.h"

namespace extproc {

/// What one thread holds for its peers, in bytes: counted exactly, and told now and then to whoever
/// adds up all threads.
class MemoryAccount {
 public:
  /// `counted` is the thread's gauge, and must outlive it.
  explicit MemoryAccount(Counter& counted) : counted_(counted) {}
  MemoryAccount(const MemoryAccount&) = delete;
  MemoryAccount& operator=(const MemoryAccount&) = delete;

  /// Bytes more, or less.
  void add(std::ptrdiff_t bytes) {
    counted_.add(static_cast<std::uint64_t>(bytes));
    untold_ += bytes;
    if (untold_ > kBatch || untold_ < -kBatch) tell();
  }
  void tell() {
    const std::ptrdiff_t bytes = untold_;
    untold_ = 0;
    over_limit_ = on_change(bytes);
  }
  /// All threads together hold more than they may.
  bool over_limit() {
    // As it was when this thread told last: the others may have given back since.
    if (over_limit_) tell();
    return over_limit_;
  }

 protected:
  ~MemoryAccount() = default;

 private:
  static constexpr std::ptrdiff_t kBatch = std::ptrdiff_t{64} << 10;

  /// Whether all together are over the limit now.
  virtual bool on_change(std::ptrdiff_t bytes) = 0;

  Counter& counted_;
  std::ptrdiff_t untold_ = 0;
  bool over_limit_ = false;
};

}  // namespace extproc
