#include <extproc/extproc.h>

/// Has Envoy choose the route again, by a header of ours.
class ChooseRoute : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context& /*context*/,
                               extproc::Request& /*request*/,
                               extproc::HeadersResponse& response) override {
    const bool canary = headers.value("x-tester").has_value();
    response.set_header("x-pool", canary ? "canary" : "stable");
    response.clear_route_cache();
  }
};

EXTPROC_EXPORT(ChooseRoute)
