#pragma once

#include <optional>

#include "exchange/direction.h"
#include "exchange/environment.h"
#include "exchange/reporter.h"
#include "extproc/body.h"
#include "extproc/host.h"
#include "extproc/immediate_response.h"
#include "extproc/phase.h"
#include "extproc/response.h"
#include "rules/reply_rules.h"

namespace extproc::exchange {

/// Checks the answers of one exchange and hands them on, in the form that is legal in its modes:
/// what Envoy would ignore or refuse is left out or reported.
class AnswerChecker {
 public:
  /// All must outlive it; `request` is only told of.
  AnswerChecker(Reporter& reporter, const Request& request, host::AnswerSink& sink)
      : reporter_(reporter), request_(request), sink_(sink) {}

  Directions& directions() { return directions_; }
  const Directions& directions() const { return directions_; }

  /// The answer to `message`, as the others.
  void headers(Phase phase, const HttpHeaders& message, HeadersResponse& response);
  void body(Phase phase, const HttpBody& chunk, BodyResponse& response);
  /// A piece of a body in FULL_DUPLEX_STREAMED or GRPC mode; what `carries` holds besides a body
  /// goes with it and is taken out.
  void streamed_body(Phase phase, const HttpBody& body, BodyResponse& carries);
  void trailers(Phase phase, const HttpTrailers& message, TrailersResponse& response);
  void immediate(Phase phase, ImmediateResponse response, const ResponseExtras* extras);

  /// Whether Envoy takes a response piece by piece.
  bool takes_streamed_reply() const;

  Reporter& reporter() const { return reporter_; }
  /// For what is no answer to be checked.
  host::AnswerSink& sink() const { return sink_; }

  /// Reports what Envoy would refuse of it, and leaves it out where nobody else does.
  void check(Phase phase, HeaderMutation& mutation, bool replaces_message = false);

 private:
  const Environment& env() const { return reporter_.environment(); }
  void complete_mode_override(Phase phase, ResponseExtras& extras);
  void add_automatic_override(HeadersResponse& response);
  bool keeps_route_cache_flag(Phase phase, bool clears, bool changes_headers);

  Reporter& reporter_;
  const Request& request_;
  host::AnswerSink& sink_;
  Directions directions_;
};

}  // namespace extproc::exchange
