#pragma once

#include <optional>

#include "extproc/filter_settings.h"
#include "extproc/header_mutation.h"
#include "extproc/immediate_response.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"
#include "rules/header_rules.h"

namespace extproc::rules {

inline constexpr int kLeastStatus = 200;
inline constexpr int kMostStatus = 599;

/// What an immediate response does to the headers of Envoy's own reply: the first of a name
/// overwrites, the others are added to it.
HeaderMutation immediate_headers(const ImmediateResponse& response);

/// Looks for what Envoy would refuse or ignore in an immediate response, and mends its status.
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
