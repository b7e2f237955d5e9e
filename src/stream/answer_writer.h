#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "exchange/answer_sink.h"
#include "extproc/body.h"
#include "extproc/immediate_response.h"
#include "extproc/phase.h"
#include "extproc/response.h"
#include "rules/reply_rules.h"
#include "stream/body_modes.h"
#include "stream/environment.h"
#include "stream/reporter.h"

namespace extproc::stream {

/// Hands on the answers of one exchange in the form that is legal in its modes: what Envoy would
/// ignore or refuse is left out or reported.
class AnswerWriter {
 public:
  /// Both must outlive it.
  AnswerWriter(Reporter& reporter, exchange::AnswerSink& sink) : reporter_(reporter), sink_(sink) {}

  void begin() { modes_ = BodyModes{}; }
  /// As the first message says that the filter is set up.
  void configure(const std::optional<ProtocolConfiguration>& config) { modes_.configure(config); }

  BodyModes& modes() { return modes_; }
  const BodyModes& modes() const { return modes_; }
  bool congested(Phase phase) const { return sink_.congested(phase); }
  /// The processor is done with so many bytes of a body.
  void consumed(Phase phase, std::size_t body_bytes) { sink_.consumed(phase, body_bytes); }

  void headers(Phase phase, HeadersResponse& response);
  /// The answer to `chunk`.
  void body(Phase phase, const HttpBody& chunk, BodyResponse& response);
  /// A piece of a body in FULL_DUPLEX_STREAMED or GRPC mode; what `carries` holds besides a body
  /// goes with it and is taken out.
  void streamed_body(Phase phase, const HttpBody& body, BodyResponse& carries);
  void trailers(Phase phase, TrailersResponse& response);
  void immediate(Phase phase, ImmediateResponse response, const ResponseExtras* extras);
  void more_time(std::chrono::milliseconds time) { sink_.ask_for_time(time); }

  Reporter& reporter() const { return reporter_; }
  /// For answers of another kind.
  exchange::AnswerSink& sink() { return sink_; }

  /// Reports what Envoy would refuse of it.
  void check(Phase phase, const HeaderMutation& mutation, bool replaces_message = false);

 private:
  const Environment& env() const { return reporter_.environment(); }
  void complete_mode_override(Phase phase, ResponseExtras& extras);
  void add_automatic_override(HeadersResponse& response);
  bool keeps_route_cache_flag(Phase phase, bool clears, bool changes_headers);

  Reporter& reporter_;
  exchange::AnswerSink& sink_;
  BodyModes modes_;
};

}  // namespace extproc::stream
