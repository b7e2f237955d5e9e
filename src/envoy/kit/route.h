#pragma once

#include "envoy/filter_config.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing::envoy {

/// The filter's configuration for one exchange, with what the request's route says of it; throws
/// where that is wrong. A request that Envoy refuses has no route.
envoy_config::FilterConfig on_its_route(const envoy_config::FilterConfig& filter,
                                        const Exchange& exchange);

}  // namespace extproc::testing::envoy
