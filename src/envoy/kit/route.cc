#include "envoy/kit/route.h"

#include "envoy/kit/filter_yaml.h"
#include "envoy/kit/http_message.h"

namespace extproc::testing::envoy {

envoy_config::FilterConfig on_its_route(const envoy_config::FilterConfig& filter,
                                        const Exchange& exchange) {
  const auto routes = read_route_configs(exchange.per_route);
  if (is_refused(HeaderMap(HeaderKind::request, exchange.request.headers))) return filter;
  return envoy_config::on_routes(filter, routes);
}

}  // namespace extproc::testing::envoy
