#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "server/configuration.h"
#include "server/listener.h"
#include "server/worker.h"

namespace extproc::server {

/// The graceful end of a server, from the first notice to the last connection. On the listener's
/// thread.
class Drain {
 public:
  /// `over` is called when streams are to be ended that are open, `done` once, when all connections
  /// are closed.
  Drain(boost::asio::io_context& io, const Configuration& configuration, Listener& listener,
        std::span<const std::unique_ptr<Worker>> workers, std::function<void()> over,
        std::function<void()> done);

  /// Begins it, or brings its end forward when it has begun.
  void begin(std::chrono::milliseconds grace_period);

 private:
  using Clock = std::chrono::steady_clock;

  enum class Step {
    serving,
    noticing,   ///< peers are told; new connections are still accepted
    finishing,  ///< no new connections; streams go on
    ending,     ///< streams are ended
    done,
  };

  void notice();
  void finish_if_noticed();
  void finish();
  void end();
  void stop();
  /// A callback for the workers' threads, which carries the last of their calls over to this one.
  std::function<void()> when_all(void (Drain::*next)());

  boost::asio::io_context& io_;
  const Configuration& configuration_;
  Listener& listener_;
  std::span<const std::unique_ptr<Worker>> workers_;
  std::function<void()> over_;
  std::function<void()> done_;

  Step step_ = Step::serving;
  Clock::time_point end_at_;
  boost::asio::steady_timer end_timer_;
  boost::asio::steady_timer delay_timer_;
  bool delay_over_ = false;
  bool all_seen_ = false;
};

}  // namespace extproc::server
