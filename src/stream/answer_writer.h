#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "extproc/body.h"
#include "extproc/immediate_response.h"
#include "extproc/phase.h"
#include "extproc/response.h"
#include "rules/reply_rules.h"
#include "stream/body_modes.h"
#include "stream/environment.h"
#include "stream/flow_control.h"
#include "stream/reply_sink.h"
#include "stream/reporter.h"
#include "wire/request_reader.h"
#include "wire/response_writer.h"

namespace extproc::stream {

/// Writes the answers of one stream in the form that is legal in its modes: what Envoy would ignore
/// or refuse is left out or reported.
class AnswerWriter {
 public:
  /// Both must outlive it.
  AnswerWriter(Reporter& reporter, ReplySink& sink) : reporter_(reporter), sink_(sink) {}

  void begin();
  /// A stream's first message.
  void configure(const wire::RequestMessage& first);
  void on_window_update(const wire::ClientWindowUpdate& update);

  BodyModes& modes() { return modes_; }
  const BodyModes& modes() const { return modes_; }
  bool congested(Phase phase) const {
    return sink_.congested() || (flow_ != nullptr && flow_->holds(phase));
  }
  /// The client bounds what it sends and what it takes itself, by flow control: its messages must
  /// not wait, because those that let answers go are among them.
  bool flow_controlled() const { return flow_ != nullptr; }
  /// The bytes of the answers that wait for the client's flow control.
  std::size_t held_bytes() const { return flow_ == nullptr ? 0 : flow_->held_bytes(); }
  /// The processor is done with so many bytes of a body.
  void consumed(Phase phase, std::size_t body_bytes);

  void headers(Phase phase, HeadersResponse& response);
  /// The answer to `chunk`.
  void body(Phase phase, const HttpBody& chunk, BodyResponse& response);
  /// A piece of a body in FULL_DUPLEX_STREAMED or GRPC mode; what `carries` holds besides a body
  /// goes with it and is taken out.
  void streamed_body(Phase phase, const wire::StreamedBody& body, BodyResponse& carries);
  void trailers(Phase phase, TrailersResponse& response);
  void immediate(Phase phase, ImmediateResponse response, const ResponseExtras* extras);
  /// What goes with a reply to the caller, whole or in pieces: all but a mode override, since no
  /// message follows that it could count for.
  static void write_reply_extras(std::string& out, const ResponseExtras& extras);
  void more_time(std::chrono::milliseconds time);

  Reporter& reporter() const { return reporter_; }
  /// For answers of another kind.
  ReplySink& sink() { return sink_; }

  /// Reports what Envoy would refuse of it.
  void check(Phase phase, const HeaderMutation& mutation, bool replaces_message = false);

 private:
  const Environment& env() const { return reporter_.environment(); }
  void complete_mode_override(Phase phase, ResponseExtras& extras);
  void add_automatic_override(HeadersResponse& response);
  bool keeps_route_cache_flag(Phase phase, bool clears, bool changes_headers);
  std::string& begin_message(Phase phase, std::size_t body_bytes);
  void end_message();
  void write_extras(std::string& out, const PhaseResponse& response);

  Reporter& reporter_;
  ReplySink& sink_;
  BodyModes modes_;
  std::unique_ptr<FlowControl> flow_;
  bool held_ = false;  // the message that is being written
};

}  // namespace extproc::stream
