#pragma once

#include <string_view>

namespace extproc::envoy_config {

/// The number of an `envoy.type.v3.StatusCode`, by name or number; 0 when it is none.
int http_status(std::string_view name);

}  // namespace extproc::envoy_config
