// What a ProcessorExchange is at.
#include <string_view>

#include "exchange/open_exchange.h"
#include "exchange/processor_exchange.h"

namespace extproc::exchange {
namespace {

/// What Request::id() gives without one.
constexpr std::string_view kUnknownId = "unknown";

}  // namespace

OpenExchange BaseExchange::describe() const {
  OpenExchange open;
  open.processor = env_.dispatcher.name();
  if (request_.id() != kUnknownId) open.request_id = request_.id();
  if (measures()) open.age = now() - stream_start_;
  if (!first_message_) open.phase = last_phase();
  open.waits_for = finished_ ? "the client, to end the stream" : "the client's next message";
  describe_handler(open);
  return open;
}

Phase BaseExchange::last_phase() const {
  const bool responds =
      directions().of(Phase::response_headers).progress() != Direction::Progress::awaited;
  const Phase headers = responds ? Phase::response_headers : Phase::request_headers;
  if (directions().of(headers).progress() != Direction::Progress::in_body) return headers;
  return responds ? Phase::response_body : Phase::request_body;
}

void ProcessorExchange::describe_handler(OpenExchange& open) const {
  const auto takes_no_answers = "the client, to take answers";
  if (pending_) {
    open.phase = phase_;
    open.in_handler = now() - waiting_->start;
    open.waits_for = may_stream_ && sink().congested(phase_) ? takes_no_answers : "its handler";
    if (late_ != Late::none) open.waits_for = "its handler, which was answered for";
  }
  directions().each_run([&](const BodyRun& run) {
    const BodySession& session = run.session;
    if (!session.running() || pending_) return;
    open.phase = session.phase();
    open.in_handler = now() - session.start();
    open.waits_for = session.idle() ? "more of the body"
                     : session.waits_here() && sink().congested(session.phase()) ? takes_no_answers
                                                                                 : "its handler";
  });
  if (closed_) open.waits_for = "its handler, though the stream is over";
}

}  // namespace extproc::exchange
