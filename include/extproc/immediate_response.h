#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/export.h"
#include "extproc/status.h"

namespace extproc {

/// An answer to the caller in place of the upstream's:
/// `envoy.service.ext_proc.v3.ImmediateResponse`.
struct EXTPROC_API ImmediateResponse {
  /// HTTP status, 200 to 599.
  int status = 200;
  /// Headers to set on the response; a repeated name gives a repeated header.
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  /// Shown in Envoy's access log as part of %RESPONSE_CODE_DETAILS%; never sent to the caller.
  std::string details{};
  /// For callers that speak gRPC: Envoy sends it as grpc-status in place of the HTTP status.
  std::optional<GrpcStatus> grpc_status{};
  /// `HeaderMutation.remove_headers`. It comes before `headers`, and before Envoy 1.40 adds
  /// content-type, content-length, date and server, so that there is nothing there for it to
  /// remove.
  std::vector<std::string> removed_headers{};
};

/// Makes an ImmediateResponse. Throws Error when the status is not between 200 and 599, as Envoy
/// would silently turn it into 200 or refuse it. The name is the Python SDK's.
EXTPROC_API ImmediateResponse
form_immediate_response(int status, std::vector<std::pair<std::string, std::string>> headers = {},
                        std::string body = {});

/// Thrown by a handler, from any depth, it answers the caller at once with `response()`. A handler
/// that can simply return uses `response.respond(...)`, which costs no exception.
class EXTPROC_API StopRequestProcessing : public std::exception {
 public:
  explicit StopRequestProcessing(ImmediateResponse response) : response_(std::move(response)) {}
  ~StopRequestProcessing() override;

  const char* what() const noexcept override;
  const ImmediateResponse& response() const { return response_; }

 private:
  ImmediateResponse response_;
};

}  // namespace extproc
