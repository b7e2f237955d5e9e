#pragma once

#include <cstdint>
#include <string_view>

#include "extproc/export.h"

namespace extproc {

/// The status codes of gRPC, with its numbers. What a stream ends with when it does not end well:
/// Envoy then fails the HTTP request with `status_on_error`, or lets it go on where
/// `failure_mode_allow` is set.
enum class GrpcStatus : std::uint8_t {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  aborted = 10,
  out_of_range = 11,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16,
};

/// gRPC's name for the code, as in "RESOURCE_EXHAUSTED".
EXTPROC_API std::string_view to_string(GrpcStatus status);

}  // namespace extproc
