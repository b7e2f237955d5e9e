#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace extproc::grpc {

/// grpc.health.v1.HealthCheckResponse.ServingStatus.
/// What a peer sent may be none of these.
enum class ServingStatus : std::int32_t {
  unknown = 0,
  serving = 1,
  not_serving = 2,
  service_unknown = 3
};

/// The `service` of a HealthCheckRequest, a view into `message`; nothing when it is malformed.
std::optional<std::string_view> read_health_request(std::string_view message);
/// Appends a HealthCheckRequest.
void write_health_request(std::string& out, std::string_view service);

/// The `status` of a HealthCheckResponse; nothing when it is malformed.
std::optional<ServingStatus> read_health_response(std::string_view message);
/// Appends a HealthCheckResponse.
void write_health_response(std::string& out, ServingStatus status);

}  // namespace extproc::grpc
