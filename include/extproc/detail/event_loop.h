#pragma once

#include <memory>
#include <mutex>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include "extproc/version.h"

namespace extproc::detail {

/// The threads for work that blocks, one pool for all I/O threads of a server; they are started when first needed.
class EXTPROC_API BlockingPool {
 public:
  explicit BlockingPool(unsigned threads) : threads_(threads) {}

  boost::asio::thread_pool& get();
  /// Waits for the work that was handed in.
  void join();

 private:
  const unsigned threads_;
  std::mutex mutex_;
  std::unique_ptr<boost::asio::thread_pool> pool_;
};

/// Where a stream's handlers are resumed, and where its blocking work goes. Outlives its streams.
struct EventLoop {
  boost::asio::any_io_executor executor;
  BlockingPool& blocking;
};

}  // namespace extproc::detail
