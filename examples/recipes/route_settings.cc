#include <extproc/extproc.h>

/// Does what the route's configuration says.
class RouteSettings : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& /*headers*/, extproc::Context& context,
                               extproc::Request& /*request*/,
                               extproc::HeadersResponse& response) override {
    const auto route = context.attribute("xds.route_name");
    if (route && route->string()) response.set_header("x-route", *route->string());
    response.set_header("x-plan", context.metadata("plan").value_or("free"));
  }
};

EXTPROC_EXPORT(RouteSettings)
