#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "exchange/direction.h"
#include "exchange/environment.h"
#include "exchange/reporter.h"
#include "extproc/body.h"
#include "extproc/context.h"
#include "extproc/host.h"
#include "extproc/immediate_response.h"
#include "extproc/phase.h"
#include "extproc/response.h"
#include "extproc/rule.h"
#include "rules/framing_rules.h"
#include "rules/reply_rules.h"

namespace extproc::exchange {

/// Checks the answers of one exchange and hands them on, in the form that is legal in its modes:
/// what Envoy would ignore or refuse is left out or reported.
class AnswerChecker {
 public:
  /// All must outlive it.
  AnswerChecker(Reporter& reporter, const Request& request, const Context& context,
                host::AnswerSink& sink)
      : reporter_(reporter), request_(request), context_(context), sink_(sink) {}

  Directions& directions() { return directions_; }
  const Directions& directions() const { return directions_; }

  /// The answer to `message`, as the others.
  void headers(Phase phase, const HttpHeaders& message, HeadersResponse& response);
  // False where no answer is legal, since a content-length does not fit that is out of reach:
  // nothing is sent, and the exchange is to end.
  [[nodiscard]] bool body(Phase phase, const HttpBody& chunk, BodyResponse& response);
  /// A piece of a body in FULL_DUPLEX_STREAMED or GRPC mode; what `carries` holds besides a body
  /// goes with it and is taken out.
  [[nodiscard]] bool streamed_body(Phase phase, const HttpBody& body, BodyResponse& carries);
  [[nodiscard]] bool trailers(Phase phase, const HttpTrailers& message, TrailersResponse& response);
  void immediate(Phase phase, ImmediateResponse response, const ResponseExtras* extras);

  /// Tells of what the handler did besides that its host does not take, or has not: `extras` may be
  /// null.
  void note_extras(Phase phase, const ResponseExtras* extras) const {
    if (env().settings.inside_envoy) tell_missing(phase);
    if (extras != nullptr && !extras->dynamic_metadata.empty()) tell_metadata(phase, *extras);
  }

  /// Whether Envoy takes a response piece by piece.
  bool takes_streamed_reply() const;

  /// Whether the caller is told nothing behind the head of a response with this status.
  bool is_all_head(int status) const;
  /// Whether content-length in that head is that of another response.
  bool tells_of_another(int status) const;

  Reporter& reporter() const { return reporter_; }
  /// For what is no answer to be checked.
  host::AnswerSink& sink() const { return sink_; }

  /// Reports what Envoy would refuse of it, and leaves it out where nobody else does.
  void check(Phase phase, HeaderMutation& mutation, bool replaces_message = false);
  void violation(Phase phase, Rule rule, std::string_view field) const {
    reporter_.violation(request_, phase, rule, field);
  }

 private:
  const Environment& env() const { return reporter_.environment(); }
  void tell_metadata(Phase phase, const ResponseExtras& extras) const;
  void tell_missing(Phase phase) const;
  void check_extras(Phase phase, ResponseExtras& extras);
  void complete_mode_override(Phase phase, ResponseExtras& extras);
  void add_automatic_override(HeadersResponse& response);
  void fit_chain_header(const HttpHeaders& message, HeadersResponse& response);
  bool keeps_route_cache_flag(Phase phase, bool clears, bool changes_headers);

  // In answer_framing.cc.
  std::string_view method() const;
  bool answers_head(const HttpHeaders& message, int status) const;
  bool has_content(Phase body) const;
  void check_framing(Phase phase, const HttpHeaders& message, HeadersResponse& response,
                     unsigned changes);
  void check_content(const HttpHeaders& message, HeadersResponse& response, unsigned changes);
  void leave_out_encoding(Phase phase, HeaderMutation& mutation, unsigned changes);
  void leave_out_replacement(HeadersResponse& response);
  void leave_out_content(const HttpHeaders& message, bool came, HeadersResponse& response);
  void check_framing(Phase phase, const HttpBody& chunk, BodyResponse& response);
  void note_status(const HttpBody& chunk, HeaderMutation& mutation);
  void leave_out_content(const HttpBody& chunk, BodyResponse& response);
  bool body_may_change(Phase headers, const HeadersResponse& response) const;
  void fit_length(Phase phase, const HttpHeaders& message, HeadersResponse& response,
                  unsigned changes, bool gained);
  void fit_length(Phase phase, const HttpBody& chunk, BodyResponse& response);
  bool guards_length(Phase phase) const;
  bool keeps_length(Phase phase, std::size_t bytes, bool ends);

  Reporter& reporter_;
  const Request& request_;
  const Context& context_;
  host::AnswerSink& sink_;
  Directions directions_;
};

}  // namespace extproc::exchange
