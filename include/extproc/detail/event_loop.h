#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <mutex>
#include <utility>

#include "extproc/export.h"

namespace extproc::detail {

/// The threads for work that blocks, one pool for all I/O threads of a server; they are started
/// when first needed.
class EXTPROC_API BlockingPool {
 public:
  explicit BlockingPool(unsigned threads) : threads_(threads) {}

  boost::asio::thread_pool& get();
  /// Waits for the work that was handed in.
  void join();
  /// Work was handed in that is not done.
  bool busy() const { return undone_.load(std::memory_order_relaxed) != 0; }
  void add() { undone_.fetch_add(1, std::memory_order_relaxed); }
  void done() { undone_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  const unsigned threads_;
  std::atomic<unsigned> undone_{0};
  std::mutex mutex_;
  std::unique_ptr<boost::asio::thread_pool> pool_;
};

/// Where a stream's handlers are resumed, and where its blocking work goes. Outlives its streams.
struct EventLoop {
  boost::asio::any_io_executor executor;
  BlockingPool& blocking;
};

/// Runs `work()` on a blocking thread, then `then()` on the loop's own, which is kept going
/// meanwhile. `work` must not throw.
template <class Work, class Then>
void run_blocking(EventLoop& loop, Work work, Then then) {
  loop.blocking.add();
  boost::asio::post(
      loop.blocking.get(), [&pool = loop.blocking, work = std::move(work), then = std::move(then),
                            guard = boost::asio::make_work_guard(loop.executor)]() mutable {
        work();
        const auto executor = guard.get_executor();
        boost::asio::post(executor,
                          [then = std::move(then), guard = std::move(guard)]() mutable { then(); });
        pool.done();
      });
}

}  // namespace extproc::detail
