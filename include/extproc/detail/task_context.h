#pragma once

#include <boost/asio/cancellation_signal.hpp>

#include "extproc/detail/dispatcher.h"
#include "extproc/detail/event_loop.h"

namespace extproc::detail {

/// What all coroutines that work on one handler call share: where they are resumed, and whether
/// they are to stop. Used on the stream's thread only.
struct TaskContext {
  EventLoop& loop;
  Completion& completion;
  boost::asio::cancellation_signal cancel{};
  bool cancelled = false;
};

}  // namespace extproc::detail
