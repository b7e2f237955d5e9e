#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/counters.h"
#include "base/logger.h"
#include "exchange/scratch.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/filter_settings.h"
#include "extproc/observer.h"
#include "extproc/rule.h"

namespace extproc::detail {
struct EventLoop;
}

namespace extproc::exchange {

using Clock = std::chrono::steady_clock;

/// What all streams of one processor on one thread share. It outlives them.
struct Environment {
  const detail::Dispatcher& dispatcher;
  const Logger& logger;
  Counters& counters;
  Observer* observer = nullptr;
  /// Null where no handler suspends.
  detail::EventLoop* loop = nullptr;
  /// The header that each processor adds its name to; empty when the chain is not revealed. Lower
  /// case.
  std::string chain_header;
  std::chrono::nanoseconds slow_handler{std::chrono::milliseconds{10}};
  FilterSettings filter{};
  bool early_end = true;
  bool automatic_mode_override = false;
  /// What a body's handler has not read yet, in bytes of one direction, before its stream waits.
  std::size_t unread_body_bytes = std::size_t{256} << 10;
  /// With a client's flow control messages do not wait: what has not been read and what waits for
  /// the client's window, in bytes of one stream, before it ends with RESOURCE_EXHAUSTED.
  std::size_t flow_controlled_bytes = std::size_t{16} << 20;
  /// Told of each answer that broke a rule; the test kit listens.
  std::function<void(Violation)> on_violation{};
  Clock::time_point (*now)() = &Clock::now;
  /// Of a processor of a chain: what it counts of it besides, and the chain's name.
  LinkCounters* link = nullptr;
  std::string_view chain_name{};
  /// Of a chain: what its processors count.
  std::vector<LinkCounters> links = std::vector<LinkCounters>(dispatcher.links().size());

  /// The headers of the message that is being read.
  std::vector<Header> read_headers{};
  /// Used by the handlers that do not suspend, one at a time.
  Scratch scratch{};
  /// For those that do: each holds one from its message to its answer, so that an idle stream holds
  /// none.
  std::vector<std::unique_ptr<Scratch>> spare_scratches{};

  std::unique_ptr<Scratch> take_scratch();
  /// Takes it back; null is nothing to take.
  void give_back(std::unique_ptr<Scratch> returned);
};

}  // namespace extproc::exchange
