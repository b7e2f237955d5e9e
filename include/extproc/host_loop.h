#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <utility>

#include "extproc/detail/event_loop.h"

namespace extproc::host {

/// Where the handlers of a Host that can wait go on: `&loop.events` is for its constructor. It
/// outlives the host.
struct Loop {
  /// `executor` runs on the host's thread alone. `blocking_threads`: for blocking processors and
  /// offload(), started when first needed.
  explicit Loop(boost::asio::any_io_executor executor, unsigned blocking_threads = 16)
      : blocking(blocking_threads), events{std::move(executor), blocking} {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  detail::BlockingPool blocking;
  detail::EventLoop events;
};

}  // namespace extproc::host
