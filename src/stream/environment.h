#pragma once

#include <chrono>
#include <string>

#include "base/counters.h"
#include "base/logger.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/observer.h"
#include "stream/scratch.h"

namespace extproc::detail {
struct EventLoop;
}

namespace extproc::stream {

using Clock = std::chrono::steady_clock;

/// What all streams of one processor on one thread share. It outlives them.
struct Environment {
  const detail::Dispatcher& dispatcher;
  const Logger& logger;
  Counters& counters;
  Observer* observer = nullptr;
  /// Null where no handler suspends.
  detail::EventLoop* loop = nullptr;
  /// The header that each processor adds its name to; empty when the chain is not revealed. Lower case.
  std::string chain_header;
  std::chrono::nanoseconds slow_handler{std::chrono::milliseconds{10}};
  Clock::time_point (*now)() = &Clock::now;

  /// Used by the handlers that do not suspend, one at a time.
  Scratch scratch{};
  bool slow_handler_logged = false;
};

}  // namespace extproc::stream
