#include "chain/made_body.h"

#include "chain/merge_extras.h"
#include "exchange/ending.h"
#include "extproc/body.h"
#include "extproc/context.h"
#include "extproc/response.h"

namespace extproc::chain {

detail::Step MadeBody::start() {
  on_stop_.emplace(call_.context->cancellation(), Cancel{session_});
  starting_ = true;
  session_.on_chunk(*call_.body);
  starting_ = false;
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  return done_ ? detail::Step::done : detail::Step::pending;
}

void MadeBody::send_body_answer(Phase /*phase*/, const HttpBody& body, BodyResponse& response) {
  take(response);
  const bool keep = response.body_change() == BodyChange::none;
  written_.append(keep ? body.body() : response.body());
}

void MadeBody::send_streamed_body(Phase /*phase*/, const HttpBody& body, BodyResponse& carries) {
  take(carries);
  carries.header_mutation().clear();
  carries.clear_route_cache(false);
  carries.drop_extras();
  written_.append(body.body());
}

void MadeBody::take(BodyResponse& response) {
  HeaderMutation& all = call_.body_response->header_mutation();
  const HeaderMutation& mutation = response.header_mutation();
  for (std::size_t i = 0; i < mutation.size(); ++i) all.add(mutation.at(i));
  if (response.clears_route_cache()) call_.body_response->clear_route_cache();
  take_extras(response.extras_or_null());
}

void MadeBody::take_extras(const ResponseExtras* extras) {
  if (extras != nullptr) merge_extras(call_.body_response->extras(), *extras);
}

void MadeBody::on_session_done(exchange::BodySession& session, const std::exception_ptr& failure) {
  const auto ending = exchange::ending_of(failure, session.context(), session.body_response());
  switch (ending.outcome) {
    case PhaseOutcome::failed:
      failure_ = failure;
      break;
    case PhaseOutcome::aborted:
      call_.context->abort(ending.abort->status, ending.abort->message);
      break;
    case PhaseOutcome::immediate:
      take_extras(ending.extras);
      call_.body_response->respond(*ending.immediate);
      break;
    default:
      session.settle();
      if (written_ != call_.body->body()) call_.body_response->replace_body(written_);
  }
  done_ = true;
  if (!starting_) call_.completion->complete(failure_);
}

}  // namespace extproc::chain
