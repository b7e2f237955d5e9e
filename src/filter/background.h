#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace extproc::filter {

/// The one thread that all filters of a process share: it watches the timers and sockets of
/// handlers that wait, and runs what no worker of Envoy's can. Any thread.
class Background {
 public:
  /// Never destroyed: what runs at the end of the process may still refer to it.
  static Background& instance();

  boost::asio::io_context& io() { return io_; }
  /// Starts the thread, where it does not run. Throws std::system_error where there is none to be
  /// had.
  void start();

  /// Handlers that may run, or be waited for, on threads of their own: the end of the process waits
  /// for them, for a while.
  void begin_use();
  void end_use();

  /// Before what a module has is destroyed with the process: waits until nothing is used, at most
  /// `most`, and ends the thread. Behind the loading of each module.
  void rest_at_exit();
  /// False where something was still used. Called again it has nothing left to do, and is true.
  bool rest(std::chrono::milliseconds most);

 private:
  Background() = default;

  boost::asio::io_context io_{1};
  std::mutex mutex_;
  std::thread thread_;
  bool ended_ = false;
  std::size_t uses_ = 0;
  /// So many files were loaded when rest_at_exit() was called last.
  unsigned long long rests_behind_ = 0;
};

}  // namespace extproc::filter
