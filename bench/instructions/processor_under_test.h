#pragma once

#include <extproc/extproc.h>
#include <extproc/host.h>

#include <optional>
#include <string_view>
#include <utility>

#include "exchange/watch.h"
#include "host/access.h"
#include "log/make_logger.h"

namespace bench {

/// The benchmark's processor, and what a stream of it needs around it.
struct ProcessorUnderTest {
  class Headers final : public extproc::Processor {
   public:
    void process_request_headers(const extproc::HttpHeaders&, extproc::Context&,
                                 extproc::Request& request,
                                 extproc::HeadersResponse& response) override {
      response.set_header("x-bench-request", request.id());
    }
    void process_response_headers(const extproc::HttpHeaders&, extproc::Context&,
                                  extproc::Request& request,
                                  extproc::HeadersResponse& response) override {
      response.set_header("x-bench-response", request.id());
    }
  };

  extproc::Service service = extproc::Service::make<Headers>();
  extproc::host::Host host;

  /// `watchers`: who looks on at its streams.
  explicit ProcessorUnderTest(const extproc::exchange::Watchers& watchers = {})
      : host(extproc::detail::HostAccess::make_host(
            service, {}, nullptr,
            extproc::log::make_logger(extproc::LogLevel::info,
                                      {.sink = [](extproc::LogLevel, std::string_view) {}}),
            watchers)) {}
};

}  // namespace bench
