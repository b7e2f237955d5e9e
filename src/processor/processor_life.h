#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/logger.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/service.h"

namespace extproc::processor {

/// What the processors of a host do of their own, besides requests. One thread at a time.
class ProcessorLife {
 public:
  /// What their host does meanwhile, for the log: behind "is not ready yet: ", and "all is ready:
  /// ".
  struct Meanwhile {
    std::string waiting;
    std::string ready;
  };
  /// `io`: where they are asked whether they are ready. All must outlive it.
  ProcessorLife(const Service& service, const Logger& logger, boost::asio::io_context& io,
                Meanwhile meanwhile);

  /// Starts them, in the order of the request. Throws Error with what one of them threw, once those
  /// before it are stopped.
  void start();
  /// Stops those that were started, in reverse.
  void stop();
  /// Whether all of them say that they are. Else each is asked again until it has said so, and then
  /// `ready` is called, on the thread of `io`.
  bool ready(std::function<void()> ready);
  /// On that thread.
  void stop_asking();

 private:
  bool all_ready();
  void ask_again();

  const Logger& logger_;
  std::vector<std::shared_ptr<const detail::Dispatcher>> processors_;
  boost::asio::steady_timer timer_;
  const Meanwhile meanwhile_;
  /// Null where nobody asks any more.
  std::shared_ptr<const std::function<void()>> on_ready_;
  std::size_t started_ = 0;
  std::size_t ready_ = 0;
  bool told_waiting_ = false;
  bool told_failure_ = false;
};

}  // namespace extproc::processor
