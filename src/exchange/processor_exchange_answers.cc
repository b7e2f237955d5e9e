// ProcessorExchange: what is answered, when a handler has returned and how.
#include <string>
#include <utility>

#include "base/access.h"
#include "exchange/chain_header.h"
#include "exchange/processor_exchange.h"
#include "rules/reply_rules.h"

namespace extproc::exchange {

void ProcessorExchange::conclude(const std::exception_ptr& failure, Clock::time_point start) {
  const std::chrono::nanoseconds spent = now() - start;
  reporter().time_on_thread(request_, phase_, spent);
  PhaseOutcome outcome = PhaseOutcome::cancelled;
  if (late_ != Late::none) {
    outcome = PhaseOutcome::late;
  } else if (!closed_ && !finished_) {
    outcome = answer(failure);
  }
  may_stream_ = false;
  detail::Access::end_phase(request_, spent);
  reporter().phase_end(request_, context_, watched_, phase_, outcome, spent);
}

PhaseOutcome ProcessorExchange::answer(const std::exception_ptr& failure) {
  if (!answered(failure)) return answer_otherwise(failure);
  return send_answer(phase_, scratch());
}

// Whether there is nothing but an answer to the phase, as most handlers leave it.
bool ProcessorExchange::answered(const std::exception_ptr& failure) {
  if (failure != nullptr || detail::Access::aborted(context_) != nullptr) return false;
  if (!is_headers(phase_)) return !response().immediate_response();
  HeadersResponse& headers = scratch().headers_response;
  return !headers.immediate_response() && !detail::Access::streamed(headers).started();
}

PhaseOutcome ProcessorExchange::answer_otherwise(const std::exception_ptr& failure) {
  if (may_stream_ && streamed_reply()->too_large()) {
    finish_over_limit("the response that is written piece by piece is collected, and too large");
    return PhaseOutcome::aborted;
  }
  const Ending ending = ending_of(failure, context_, response());
  if (!ending.thrown && is_headers(phase_) && ending.outcome != PhaseOutcome::aborted &&
      detail::Access::streamed(scratch().headers_response).started()) {
    if (may_stream_ && phase_ == Phase::request_headers) return send_streamed();
    if (!observes()) reporter().violation(request_, phase_, Rule::streamed_response, {});
  }
  if (ending.thrown && ending.immediate && may_stream_ && streamed_reply()->begun())
    return fail(phase_, "it stopped processing after it had begun to write the response");
  if (ending.outcome == PhaseOutcome::answered) return send_answer(phase_, scratch());
  return take_ending(phase_, ending);
}

// What a handler's run comes to, of messages and of whole bodies; who called it sends what it
// answered.
PhaseOutcome ProcessorExchange::take_ending(Phase phase, const Ending& ending) {
  switch (ending.outcome) {
    case PhaseOutcome::immediate:
      return send_immediate(phase, *ending.immediate, ending.extras);
    case PhaseOutcome::aborted:
      finish(ending.abort->status, ending.abort->message);
      break;
    case PhaseOutcome::failed:
      return ending.refused ? refuse(phase, ending.what) : fail(phase, ending.what);
    default:
      break;
  }
  return ending.outcome;
}

PhaseResponse& ProcessorExchange::response() {
  switch (phase_) {
    case Phase::request_headers:
    case Phase::response_headers:
      return scratch().headers_response;
    case Phase::request_body:
    case Phase::response_body:
      return scratch().body_response;
    default:
      return scratch().trailers_response;
  }
}

PhaseOutcome ProcessorExchange::send_answer(Phase phase, Scratch& call) {
  if (observes()) return PhaseOutcome::answered;
  switch (phase) {
    case Phase::request_headers:
    case Phase::response_headers:
      if ((env_.headers_wait || detail::Access::body_wait(call.headers_response) != nullptr) &&
          hold_headers(phase, call))
        return PhaseOutcome::answered;
      checker_.headers(phase, call.headers, call.headers_response);
      break;
    case Phase::request_body:
    case Phase::response_body:
      if (!checker_.body(phase, call.body, call.body_response)) return finish_for_length();
      sink().consumed(phase, call.body.bytes().size());
      break;
    case Phase::request_trailers:
    case Phase::response_trailers:
      if (!checker_.trailers(phase, call.trailers, call.trailers_response))
        return finish_for_length();
      break;
  }
  return PhaseOutcome::answered;
}

PhaseOutcome ProcessorExchange::finish_for_length() {
  finish(GrpcStatus::internal, "the body has another length than its content-length may say");
  return PhaseOutcome::failed;
}

PhaseOutcome ProcessorExchange::send_streamed() {
  detail::Access::streamed(scratch().headers_response).finish();
  if (auto collected = streamed_reply()->take_collected())
    return send_immediate(phase_, std::move(*collected),
                          scratch().headers_response.extras_or_null());
  replied_ = true;
  reporter().immediate_response(request_, phase_, streamed_reply()->status());
  finish(GrpcStatus::ok);
  return PhaseOutcome::immediate;
}

PhaseOutcome ProcessorExchange::send_immediate(Phase phase, ImmediateResponse response,
                                               const ResponseExtras* extras) {
  if (observes()) return PhaseOutcome::answered;
  if (!env_.settings.chain_header.empty())
    set_chain(env_.settings.chain_header, env_.dispatcher.name(), response);
  const Direction& back = directions().of(Phase::response_body);
  if (back.held == nullptr && rules::headers_may_have_left(phase, back.comes_in()))
    reporter().violation(request_, phase, Rule::immediate_too_late, {});
  replied_ = true;
  reporter().immediate_response(request_, phase, response.status);
  checker_.immediate(phase, std::move(response), extras);
  // Envoy sends nothing more on this stream.
  finish(GrpcStatus::ok);
  return PhaseOutcome::immediate;
}

// As if the phase had no handler.
void ProcessorExchange::send_unchanged(Phase phase, const HttpHeaders& headers,
                                       const HttpTrailers& trailers, const HttpBody& body) {
  Scratch unchanged{.headers = headers, .body = body, .trailers = trailers};
  if (phase == Phase::response_headers && !env_.settings.chain_header.empty())
    add_to_chain(env_, unchanged);
  send_answer(phase, unchanged);
}

PhaseOutcome ProcessorExchange::fail(Phase phase, std::string_view what) {
  reporter().failure(request_, phase, what);
  finish(GrpcStatus::unknown, "the handler of " + std::string(to_string(phase)) + " failed");
  return PhaseOutcome::failed;
}

void ProcessorExchange::send_body_answer(Phase phase, const HttpBody& body,
                                         BodyResponse& response) {
  if (!checker_.body(phase, body, response)) return static_cast<void>(finish_for_length());
  this->body(phase)->deadline.answer_sent(now());
  update_alarm();
}

void ProcessorExchange::send_streamed_body(Phase phase, const HttpBody& body,
                                           BodyResponse& carries) {
  if (!checker_.streamed_body(phase, body, carries)) finish_for_length();
}

void ProcessorExchange::on_consumed(BodySession& session, std::size_t bytes) {
  BodyDeadline& deadline = run_of(session).deadline;
  if (deadline.fallback()) deadline.chunk_taken(now());
  if (answers()) sink().consumed(session.phase(), bytes);
  if (!closed_) update_pause();
  tell_kept();
}

void ProcessorExchange::on_written_too_late(Phase phase) {
  reporter().violation(request_, phase, Rule::body_written_too_late, {});
}

void ProcessorExchange::on_session_done(BodySession& session, const std::exception_ptr& failure) {
  const Phase phase = session.phase();
  PhaseOutcome outcome = PhaseOutcome::cancelled;
  if (session.abandoned()) {
    outcome = PhaseOutcome::late;
  } else if (!closed_ && !finished_) {
    const auto ending = ending_of(failure, session.context(), session.body_response());
    if (ending.outcome == PhaseOutcome::answered) session.settle();
    outcome = take_ending(phase, ending);
  }
  run_of(session).deadline.clear();
  update_alarm();
  const auto spent = now() - session.start();
  detail::Access::end_phase(request_, spent);
  reporter().phase_end(request_, context_, watched_, phase, outcome, spent);
  after_handler();
}

}  // namespace extproc::exchange
