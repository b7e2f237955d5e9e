#include "chain/chain_body.h"

#include <stop_token>
#include <utility>

#include "chain/chain_call.h"
#include "chain/chain_state.h"
#include "chain/merge_extras.h"
#include "extproc/context.h"
#include "rules/header_rules.h"
#include "rules/mode_rules.h"

namespace extproc::chain {
namespace {

/// Takes an immediate response through the other processors.
class Reply final : private detail::Completion {
 public:
  Reply(const ChainLinks& links, ChainState& state, const detail::Invocation& outer)
      : call_(links, state), invocation_(outer) {
    invocation_.body_response = &response_;
    invocation_.completion = this;
  }

  struct Awaiter {
    Reply& reply;
    bool await_ready() const { return reply.done_; }
    void await_suspend(std::coroutine_handle<> handler) { reply.waiting_ = handler; }
    void await_resume() const {
      if (reply.failure_ != nullptr) std::rethrow_exception(reply.failure_);
    }
  };

  Awaiter start(std::size_t link, ImmediateResponse response) {
    done_ = call_.start_reply(invocation_, link, std::move(response)) == detail::Step::done;
    return Awaiter{*this};
  }
  const std::optional<ImmediateResponse>& result() const { return response_.immediate_response(); }
  PhaseResponse& response() { return response_; }

 private:
  void complete(std::exception_ptr failure) noexcept override {
    done_ = true;
    failure_ = std::move(failure);
    if (waiting_) std::exchange(waiting_, nullptr).resume();
  }

  ChainCall call_;
  detail::Invocation invocation_;
  BodyResponse response_;
  std::coroutine_handle<> waiting_;
  std::exception_ptr failure_;
  bool done_ = false;
};

/// Reports what is wrong with an answer of one processor.
class LinkViolations final : public rules::ViolationListener {
 public:
  LinkViolations(const detail::Invocation& outer, std::size_t link) : outer_(outer), link_(link) {}

  void on_violation(Rule rule, std::string_view field) override {
    outer_.host->link_violation(link_, outer_.phase, rule, field);
  }

 private:
  const detail::Invocation& outer_;
  std::size_t link_;
};

}  // namespace

/// Waits until the stages are idle, or done.
class ChainBody::Settled {
 public:
  Settled(ChainBody& body, bool done) : body_(body), done_(done) {}
  bool await_ready() const { return done_ ? body_.done() : body_.idle(); }
  void await_suspend(std::coroutine_handle<> handler) {
    body_.waits_for_done_ = done_;
    body_.waiting_ = handler;
  }
  void await_resume() const {}

 private:
  ChainBody& body_;
  bool done_;
};

ChainBody::ChainBody(const ChainLinks& links, ChainState& state, const detail::Invocation& outer)
    : links_(links), state_(state), outer_(outer) {
  const bool request = is_request_phase(outer.phase);
  for (std::size_t i = 0; i < links.size(); ++i) {
    const std::size_t link = request ? i : links.size() - 1 - i;
    if (!state.calls(links, link, outer.phase, *outer.context)) continue;
    const std::size_t number = stages_.size();
    Request& link_request = state.links[link]->request;
    StageOwner& owner = *this;
    if (links[link]->streamed().contains(outer.phase)) {
      stages_.push_back(std::make_unique<SessionStage>(owner, number, link, *links[link],
                                                       link_request, outer.body_stream->mode()));
    } else {
      stages_.push_back(
          std::make_unique<MessageStage>(owner, number, link, *links[link], link_request));
    }
  }
}

bool ChainBody::idle() const {
  // No chunk is fed any more, and those that wait for one are cancelled.
  if (end_) return true;
  for (const auto& stage : stages_) {
    if (!stage->idle()) return false;
  }
  return true;
}

bool ChainBody::done() const {
  for (const auto& stage : stages_) {
    if (!stage->done()) return false;
  }
  return true;
}

void ChainBody::on_stage_changed() {
  // Whoever feeds looks by itself when it is through.
  if (feeding_ || !waiting_) return;
  if (waits_for_done_ ? !done() : !idle()) return;
  std::exchange(waiting_, nullptr).resume();
}

Task<> ChainBody::run() {
  BodyStream& body = *outer_.body_stream;
  const std::stop_callback on_stop(outer_.context->cancellation(), [this] {
    cancel_stages();
    on_stage_changed();
  });
  std::exception_ptr failure;
  try {
    while (!end_) {
      const auto chunk = co_await body.read();
      if (!chunk) break;
      feed(*chunk);
      co_await Settled(*this, false);
    }
    if (!end_ && !stages_.empty()) {
      feeding_ = true;
      if (outer_.context->observability_mode()) {
        for (const auto& stage : stages_) stage->on_input_end();
      } else {
        stages_.front()->on_input_end();
      }
      feeding_ = false;
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure != nullptr || end_) cancel_stages();
  co_await Settled(*this, true);
  if (failure != nullptr) std::rethrow_exception(failure);
  if (end_ && end_->failure != nullptr) std::rethrow_exception(end_->failure);
  if (end_ && end_->immediate) {
    co_await answer_at_once();
    co_return;
  }
  finish_response();
}

void ChainBody::cancel_stages() {
  feeding_ = true;
  for (const auto& stage : stages_) stage->cancel();
  feeding_ = false;
}

void ChainBody::feed(const HttpBody& chunk) {
  feeding_ = true;
  if (outer_.context->observability_mode()) {
    for (const auto& stage : stages_) stage->on_chunk(chunk);
  } else if (stages_.empty()) {
    outer_.body_stream->write(chunk.body());
  } else {
    stages_.front()->on_chunk(chunk);
  }
  feeding_ = false;
}

void ChainBody::forward(std::size_t stage, const HttpBody& chunk) {
  if (end_ || outer_.context->observability_mode()) return;
  if (stage + 1 < stages_.size()) return stages_[stage + 1]->on_chunk(chunk);
  // What only ends the body is told by the end of this handler.
  if (chunk.end_of_stream_without_message() || (chunk.drain_complete() && chunk.body().empty()))
    return;
  chunk.grpc_message_compressed() ? outer_.body_stream->write_compressed(chunk.body())
                                  : outer_.body_stream->write(chunk.body());
}

void ChainBody::forward_end(std::size_t stage) {
  // Those that observe are told the end as they are told the chunks: all at once.
  if (outer_.context->observability_mode()) return;
  if (!end_ && stage + 1 < stages_.size()) stages_[stage + 1]->on_input_end();
}

void ChainBody::take_answer(std::size_t link, BodyResponse& response) {
  take_extras(response.extras_or_null());
  // Nothing that an observer answers counts.
  if (outer_.context->observability_mode()) return;
  LinkViolations violations(outer_, link);
  HeaderMutation& mutation = response.header_mutation();
  if (!mutation.empty() &&
      !rules::takes_headers_with_body(state_.body_mode(link, outer_.phase, *outer_.context))) {
    violations.on_violation(Rule::body_header_mutation, mutation.at(0).name);
    mutation.clear();
  }
  const FilterSettings& filter = outer_.host->filter();
  rules::check_mutation(mutation, false, filter, violations);
  rules::for_each_change(
      mutation, false, filter,
      [this](const HeaderMutation::Entry& change) { changes_.take(change); },
      [this](const HeaderMutation::Entry& refused) { changes_.refuse(refused); });
  if (!response.clears_route_cache()) return;
  if (rules::clears_route_cache(outer_.phase, !mutation.empty())) {
    clear_route_cache_ = true;
  } else {
    violations.on_violation(Rule::clear_route_cache, "clear_route_cache");
  }
}

void ChainBody::take_extras(const ResponseExtras* extras) {
  if (extras == nullptr || outer_.context->observability_mode()) return;
  merge_extras(outer_.body_stream->response().extras(), *extras);
}

void ChainBody::stop(std::size_t link, StageEnd end) {
  if (end_) return;
  // One that observes ends nothing for the others.
  if (end.immediate && outer_.context->observability_mode()) return;
  end_ = std::move(end);
  end_link_ = link;
}

Task<> ChainBody::answer_at_once() {
  Reply reply(links_, state_, outer_);
  ImmediateResponse response = std::move(*end_->immediate);
  auto awaiter = reply.start(end_link_, std::move(response));
  co_await awaiter;
  take_extras(reply.response().extras_or_null());
  if (reply.result()) outer_.body_stream->response().respond(*reply.result());
}

void ChainBody::finish_response() {
  changes_.write_all(outer_.body_stream->response().header_mutation());
  if (!clear_route_cache_) return;
  changes_.write_refused(outer_.body_stream->response().header_mutation());
  outer_.body_stream->clear_route_cache();
}

}  // namespace extproc::chain
