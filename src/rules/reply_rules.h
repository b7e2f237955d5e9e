#pragma once

#include <optional>
#include <string_view>

#include "extproc/filter_settings.h"
#include "extproc/header_mutation.h"
#include "extproc/immediate_response.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"
#include "extproc/status.h"
#include "rules/header_rules.h"

namespace extproc::rules {

inline constexpr int kLeastStatus = 200;
inline constexpr int kMostStatus = 599;

/// Whether Envoy takes a request with this content-type for gRPC.
constexpr bool is_grpc(std::string_view content_type) {
  return content_type == "application/grpc" || content_type.starts_with("application/grpc+");
}

/// The gRPC status that Envoy gives for an HTTP status in a local reply to a gRPC call.
GrpcStatus grpc_status_of(int http_status);

/// What an immediate response does to the headers of Envoy's own reply: the first of a name
/// overwrites, the others are added to it.
HeaderMutation immediate_headers(const ImmediateResponse& response);

/// Looks for what Envoy would refuse or ignore in an immediate response, mends its status, and
/// leaves out a body that no response of that status has. That of a response to HEAD Envoy leaves
/// out itself.
void check_immediate(ImmediateResponse& response, const FilterSettings& filter,
                     ViolationListener& listener);

/// Leaves out of it the headers that Envoy would refuse, as rules::leave_out_refused().
void leave_out_refused(ImmediateResponse& response, const FilterSettings& filter);

/// Whether the response's headers may be on their way to the caller when its `phase` is answered,
/// so that an immediate response resets the stream. `response_body`: the mode of its body.
constexpr bool headers_may_have_left(Phase phase, std::optional<BodySendMode> response_body) {
  // In BUFFERED mode Envoy holds them until the trailers are answered.
  if (phase == Phase::response_trailers) return response_body != BodySendMode::buffered;
  return phase == Phase::response_body && response_body &&
         (*response_body == BodySendMode::streamed || is_full_duplex(*response_body));
}

/// Whether Envoy takes a response piece by piece beside a request's body of this mode, where the
/// response is not all head.
constexpr bool takes_streamed_reply(BodySendMode request_body) {
  return request_body == BodySendMode::none || request_body == BodySendMode::full_duplex_streamed;
}

}  // namespace extproc::rules
