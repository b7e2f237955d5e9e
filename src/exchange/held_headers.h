#pragma once

#include <memory>
#include <optional>

#include "exchange/deadlines.h"
#include "exchange/environment.h"
#include "extproc/body.h"
#include "extproc/headers.h"
#include "extproc/request.h"
#include "extproc/response.h"

namespace extproc::exchange {

/// The answer to a direction's headers that waits for the handler over its body.
struct HeldHeaders {
  /// The headers, and the answer as far as it is known. Not null.
  std::unique_ptr<Scratch> call;
  /// `held_time` ends then.
  Clock::time_point until;
  /// When it must not wait any longer, or more time is asked of Envoy.
  ReplyDeadline deadline{};

  HeadersResponse& answer() const { return call->headers_response; }
  /// What is answered where it waited in vain; null for nothing.
  const std::optional<ImmediateResponse>& otherwise() const;
  /// Adds what the handler over the body asked for, behind what was asked for before.
  void take(const BodyResponse& asked) const;
};

/// Whether both ends of a request send when they like, so that neither can wait for a whole body:
/// CONNECT, upgrades, calls of gRPC. `headers`: those of the direction in question.
bool flows_both_ways(const Request& request, const HttpHeaders& headers);

}  // namespace extproc::exchange
