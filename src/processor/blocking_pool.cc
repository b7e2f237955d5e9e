#include "extproc/detail/event_loop.h"

namespace extproc::detail {

boost::asio::thread_pool& BlockingPool::get() {
  const std::lock_guard lock(mutex_);
  if (!pool_) pool_ = std::make_unique<boost::asio::thread_pool>(threads_);
  return *pool_;
}

void BlockingPool::join() {
  const std::lock_guard lock(mutex_);
  if (pool_) pool_->join();
}

}  // namespace extproc::detail
