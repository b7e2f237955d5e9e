#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>

namespace extproc::server {

/// The time that a server has to end in, and who waits for that. Any thread.
class GracePeriod {
 public:
  /// It ends so much from now on; what was said before can only be shortened.
  void begin(std::chrono::milliseconds time);
  /// The server has ended.
  void note_end();
  /// Waits for that: true. False where it is overdue and `still_running` tells of handlers that
  /// have not returned; it is asked again and again.
  bool wait(const std::function<std::size_t()>& still_running);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::chrono::steady_clock::time_point> end_at_;
  bool ended_ = false;
};

}  // namespace extproc::server
