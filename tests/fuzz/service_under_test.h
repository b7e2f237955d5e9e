#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>

#include "base/counters.h"
#include "extproc/host.h"
#include "extproc/host_loop.h"
#include "extproc/service.h"
#include "host/access.h"

namespace extproc::fuzz {

/// How the handlers of the processor under test are written.
enum class Style { plain, suspending, streaming };

/// What streams need around them, without threads, sockets and a running clock: a processor that
/// touches everything, and a loop that runs when it is told to.
class ServiceUnderTest {
 public:
  explicit ServiceUnderTest(Style style);
  ~ServiceUnderTest();

  host::Host& host() { return host_; }
  const Counters& counters() const { return detail::HostAccess::counters(host_); }
  /// Resumes the handlers that are suspended.
  void run_suspended();

 private:
  const Style style_;
  Service service_;
  boost::asio::io_context io_{1};
  host::Loop loop_{io_.get_executor(), 1};
  host::Host host_;
};

}  // namespace extproc::fuzz
