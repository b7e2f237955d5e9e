#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <utility>

#include "extproc/detail/event_loop.h"

namespace extproc::host {

/// Where the handlers of a Host that can wait go on: `&loop.events` is for its constructor. It
/// outlives the host.
struct Loop {
  /// `executor` runs on the host's thread alone. `blocking_threads`: for blocking processors and
  /// offload(), started when first needed; `blocking_queue`: how many of those may wait for one, as
  /// Settings::blocking_queue of a server.
  explicit Loop(boost::asio::any_io_executor executor,
                unsigned blocking_threads = detail::BlockingPool::kDefaultThreads,
                unsigned blocking_queue = detail::BlockingPool::kDefaultQueue)
      : blocking(blocking_threads, blocking_queue), events{std::move(executor), blocking} {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  detail::BlockingPool blocking;
  detail::EventLoop events;
};

}  // namespace extproc::host
