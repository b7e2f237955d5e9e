#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace extproc::detail {

/// What has been logged and is not to be logged again. Any thread.
class ToldOnce {
 public:
  /// True for the first who asks of `what`. Its number is bounded, since a peer may have chosen it:
  /// what is beyond that is not told at all.
  bool first(std::string_view what) {
    what = what.substr(0, kMostBytes);
    const std::lock_guard lock(mutex_);
    if (told_.size() >= kMost || std::find(told_.begin(), told_.end(), what) != told_.end())
      return false;
    told_.emplace_back(what);
    return true;
  }

 private:
  static constexpr std::size_t kMost = 64;
  static constexpr std::size_t kMostBytes = 128;

  std::mutex mutex_;
  std::vector<std::string> told_;
};

}  // namespace extproc::detail
