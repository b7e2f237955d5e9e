#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>

#include "base/counters.h"
#include "base/logger.h"
#include "exchange/environment.h"
#include "extproc/detail/event_loop.h"
#include "extproc/service.h"

namespace extproc::fuzz {

/// How the handlers of the processor under test are written.
enum class Style { plain, suspending, streaming };

/// What streams need around them, without threads, sockets and a running clock: a processor that
/// touches everything, and a loop that runs when it is told to.
class ServiceUnderTest {
 public:
  explicit ServiceUnderTest(Style style);
  ~ServiceUnderTest();

  exchange::Environment& environment() { return environment_; }
  const Counters& counters() const { return counters_; }
  /// Resumes the handlers that are suspended.
  void run_suspended();

 private:
  const Style style_;
  Service service_;
  boost::asio::io_context io_{1};
  detail::BlockingPool blocking_{1};
  detail::EventLoop loop_;
  Logger logger_;
  Counters counters_;
  exchange::Environment environment_;
};

}  // namespace extproc::fuzz
