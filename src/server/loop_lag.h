#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

namespace extproc::server {

/// How late a thread's loop comes to what is due: what streams of it wait because of others. The
/// longest of the last ten to twenty seconds, and of a loop that stands still until it goes on.
class LoopLag {
 public:
  using Clock = std::chrono::steady_clock;

  explicit LoopLag(boost::asio::io_context& io) : timer_(io) {}

  /// On the loop's thread, or before it runs. Once.
  void start();
  /// Any thread.
  std::chrono::nanoseconds longest() const;

 private:
  void look_again();
  void note(Clock::time_point now);

  boost::asio::steady_timer timer_;
  Clock::time_point window_begin_;
  /// When the timer is due; 0 before start().
  std::atomic<Clock::rep> due_{0};
  /// Of this window, and of the one before it.
  std::atomic<Clock::rep> longest_{0};
  std::atomic<Clock::rep> longest_before_{0};
};

}  // namespace extproc::server
