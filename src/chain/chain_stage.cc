#include "chain/chain_stage.h"

#include <utility>

#include "extproc/context.h"
#include "extproc/error.h"

namespace extproc::chain {

void ChainStage::begin() {
  const detail::Invocation& outer = owner_.outer();
  request_.begin_phase(outer.phase, nullptr);
  outer.host->link_begin(link_, request_, outer.phase);
}

void ChainStage::end(PhaseOutcome outcome, std::chrono::steady_clock::time_point start) {
  const detail::Invocation& outer = owner_.outer();
  const auto spent = outer.host->now() - start;
  request_.end_phase(spent);
  outer.host->link_end(link_, request_, outer.phase, outcome, spent);
}

PhaseOutcome ChainStage::take_ending(const exchange::Ending& ending) {
  switch (ending.outcome) {
    case PhaseOutcome::failed:
      owner_.stop(link_, {exchange::failure_of_link(dispatcher_.name(), ending), std::nullopt});
      break;
    case PhaseOutcome::immediate:
      owner_.take_extras(ending.extras);
      owner_.stop(link_, {nullptr, *ending.immediate});
      break;
    case PhaseOutcome::aborted:
      owner_.outer().context->abort(ending.abort->status, ending.abort->message);
      owner_.stop(link_, {});
      break;
    default:
      break;
  }
  return ending.outcome;
}

void ChainStage::ask_for_fallback(const Fallback& fallback) {
  owner_.outer().body_stream->response().fall_back_after(fallback.after, fallback.response);
}

SessionStage::SessionStage(StageOwner& owner, std::size_t number, std::size_t link,
                           const detail::Dispatcher& dispatcher, Request& request,
                           std::optional<BodySendMode> mode)
    : ChainStage(owner, number, link, dispatcher, request),
      session_(*this, dispatcher, owner.outer().phase, mode) {}

void SessionStage::on_chunk(const HttpBody& chunk) {
  if (!std::exchange(begun_, true)) begin();
  session_.on_chunk(chunk);
}

void SessionStage::on_input_end() {
  input_ended_ = true;
  if (session_.running()) {
    session_.on_input_end();
  } else {
    owner_.forward_end(number_);
  }
}

void SessionStage::send_body_answer(Phase /*phase*/, const HttpBody& body, BodyResponse& response) {
  owner_.take_answer(link_, response);
  const bool keep = response.body_change() == BodyChange::none;
  const std::string_view bytes = keep ? body.body() : response.body();
  // A chunk that was emptied goes no further, as in Envoy; the last one does.
  if (!keep && bytes.empty() && !body.end_of_stream()) return;
  owner_.forward(number_, HttpBody(bytes, body.end_of_stream(), body.flags()));
}

void SessionStage::send_streamed_body(Phase /*phase*/, const HttpBody& body,
                                      BodyResponse& carries) {
  owner_.take_answer(link_, carries);
  carries.header_mutation().clear();
  carries.clear_route_cache(false);
  carries.drop_extras();
  owner_.forward(number_, body);
}

void SessionStage::on_written_too_late(Phase phase) {
  owner_.outer().host->link_violation(link_, phase, Rule::body_written_too_late, {});
}

void SessionStage::on_session_done(exchange::BodySession& session,
                                   const std::exception_ptr& failure) {
  const auto outcome =
      take_ending(exchange::ending_of(failure, session.context(), session.body_response()));
  if (outcome == PhaseOutcome::answered) {
    session.settle();
    if (input_ended_) owner_.forward_end(number_);
  }
  end(outcome, session.start());
  owner_.on_stage_changed();
}

void MessageStage::on_chunk(const HttpBody& chunk) {
  queue_.push_back({std::string(chunk.body()), chunk.end_of_stream(), chunk.flags()});
  work();
}

void MessageStage::on_input_end() {
  input_ended_ = true;
  if (idle()) owner_.forward_end(number_);
}

void MessageStage::work() {
  while (!busy_ && !queue_.empty()) {
    current_ = std::move(queue_.front());
    queue_.pop_front();
    body_ = HttpBody(current_.bytes, current_.end_of_stream, current_.flags);
    response_.reset();
    begin();
    const detail::Invocation& outer = owner_.outer();
    start_ = outer.host->now();
    detail::Invocation invocation{.phase = outer.phase,
                                  .host = outer.host,
                                  .body = &body_,
                                  .context = outer.context,
                                  .request = &request_,
                                  .body_response = &response_,
                                  .completion = this};
    std::exception_ptr failure;
    try {
      busy_ = dispatcher_.call(invocation) == detail::Step::pending;
    } catch (...) {
      failure = std::current_exception();
    }
    if (!busy_) {
      absorb(failure);
    } else if (const Fallback* fallback = response_.fallback()) {
      ask_for_fallback(*fallback);
    }
  }
}

void MessageStage::complete(std::exception_ptr failure) noexcept {
  busy_ = false;
  absorb(failure);
  work();
  owner_.on_stage_changed();
}

void MessageStage::absorb(const std::exception_ptr& failure) {
  const auto outcome =
      take_ending(exchange::ending_of(failure, *owner_.outer().context, response_));
  end(outcome, start_);
  if (outcome != PhaseOutcome::answered) return;
  owner_.take_answer(link_, response_);
  const bool keep = response_.body_change() == BodyChange::none;
  const std::string_view bytes = keep ? body_.body() : response_.body();
  HttpBody::Flags flags = body_.flags();
  if (!keep) flags.grpc_message_compressed = response_.is_grpc_message_compressed();
  if (keep || !bytes.empty() || body_.end_of_stream())
    owner_.forward(number_, HttpBody(bytes, body_.end_of_stream(), flags));
  if (input_ended_ && queue_.empty()) owner_.forward_end(number_);
}

}  // namespace extproc::chain
