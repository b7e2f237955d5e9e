#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "extproc/detail/blocking_pool.h"

namespace extproc::detail {

/// Where a stream's handlers are resumed, and where its blocking work goes. Outlives its streams.
struct EventLoop {
  boost::asio::any_io_executor executor;
  BlockingPool& blocking;
};

}  // namespace extproc::detail
