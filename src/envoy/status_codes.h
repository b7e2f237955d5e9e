#pragma once

#include <cstdint>
#include <string_view>

namespace extproc::envoy_config {

/// The number of an `envoy.type.v3.StatusCode`, by name or number; 0 when it is none.
int http_status(std::string_view name);

/// The gRPC status that Envoy gives for an HTTP status in a local reply to a gRPC request.
std::uint32_t grpc_status_of(int http_status);

}  // namespace extproc::envoy_config
