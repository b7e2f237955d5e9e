// ProcessorExchange: the answer to headers that waits for the handler over the body.
#include <utility>

#include "base/access.h"
#include "exchange/processor_exchange.h"
#include "rules/mode_rules.h"

namespace extproc::exchange {

bool ProcessorExchange::body_comes_first(Phase headers) {
  const auto mode = directions().of(headers).comes_in();
  const bool whole = env_.dispatcher.streamed().contains(rules::body_of(headers));
  const auto& config = directions().config();
  const bool unasked = env_.settings.body_before_answer ||
                       (config && config->send_body_without_waiting_for_header_response);
  if (whole && mode && rules::comes_before_answer(*mode, unasked)) return true;
  // Else they can be changed with the body itself, or not at all.
  if (mode == BodySendMode::none || !rules::takes_headers_with_body(mode))
    reporter().violation(request_, headers, Rule::body_not_awaited, "wait_for_body");
  return false;
}

// It was asked for, or is stated for all of its kind.
bool ProcessorExchange::is_to_wait(Phase headers, HeadersResponse& response) const {
  if (detail::Access::body_wait(response) != nullptr) return true;
  if (!(is_request_phase(headers) ? env_.needs.request_headers_wait_for_body
                                  : env_.needs.response_headers_wait_for_body))
    return false;
  response.wait_for_body();
  return true;
}

// Where the answer of the handler that has just returned waits, what it holds is kept.
bool ProcessorExchange::hold_headers(Phase phase, Scratch& call) {
  if (!is_to_wait(phase, call.headers_response) || call.headers_response.replacement() ||
      call.headers.end_of_stream() || flows_both_ways(request_, call.headers) ||
      !body_comes_first(phase))
    return false;
  const auto since = env_.dispatcher.phases().contains(phase) ? waiting_->since : sent();
  directions().of(phase).held = std::make_unique<HeldHeaders>(
      HeldHeaders{std::move(waiting_->scratch), since + env_.settings.held_time});
  time_held(phase, since);
  return true;
}

// Envoy times its last message.
void ProcessorExchange::time_held(Phase phase, Clock::time_point sent) {
  const Direction& its = directions().of(phase);
  its.held->deadline.begin(sent, env_.settings.filter, !its.full_duplex(), its.held->until);
  update_alarm();
}

void ProcessorExchange::decide_headers(BodySession& session) {
  directions().of(session.phase()).held->take(session.body_response());
  release_headers(session.phase());
}

void ProcessorExchange::release_headers(Phase phase) {
  Direction& its = directions().of(phase);
  if (its.held == nullptr) return;
  const auto held = std::move(its.held);
  if (answers()) checker_.headers(rules::headers_of(phase), held->call->headers, held->answer());
  if (its.run != nullptr && !its.full_duplex()) its.run->deadline.start_timing();
  env_.give_back(std::move(held->call));
  update_alarm();
}

void ProcessorExchange::note_held_body(Phase body) {
  const Direction& its = directions().of(body);
  if (its.held == nullptr || finished_) return;
  if (its.run->session.kept_bytes() > env_.settings.held_bytes)
    return stop_holding(body, "held_bytes_per_stream");
  if (!its.full_duplex()) time_held(body, sent());
}

void ProcessorExchange::wake_held(Phase body) {
  const Direction& its = directions().of(body);
  if (its.held == nullptr || finished_ || closed_) return;
  const auto now = this->now();
  const auto due = its.held->deadline.due(now);
  // What is told of a handler that waits goes by its own deadline; this may wait for the caller.
  if (due != ReplyDeadline::Action::tell && must_fall_back(rules::headers_of(body), due))
    stop_holding(body, now >= its.held->until ? "held_time" : "message_timeout");
}

// All goes on without the handler over the body.
void ProcessorExchange::stop_holding(Phase body, std::string_view limit) {
  Direction& its = directions().of(body);
  const Phase headers = rules::headers_of(body);
  env_.counters.fallbacks.add();
  reporter().violation(request_, headers, Rule::body_awaited_too_long, limit);
  if (its.held->otherwise()) send_immediate(headers, *its.held->otherwise(), nullptr);
  if (its.run == nullptr) make_run(body);
  its.run->session.abandon();
  deliver_held();
  update_pause();
}

}  // namespace extproc::exchange
