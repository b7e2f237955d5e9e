#include "chain/link.h"

#include <utility>

#include "base/recycle.h"
#include "chain/chain_exchange.h"

namespace extproc::chain {
namespace {

std::unique_ptr<exchange::Watch> watch_of(const exchange::Environment& chain, std::size_t link) {
  if (chain.watch == nullptr) return nullptr;
  return std::make_unique<exchange::Watch>(*chain.watch, chain.dispatcher.links()[link]->name());
}

}  // namespace

LinkSurroundings::LinkSurroundings(exchange::Environment& chain, std::size_t link)
    : watch(watch_of(chain, link)),
      environment{.dispatcher = *chain.dispatcher.links()[link],
                  .settings = chain.settings,
                  .logger = chain.logger,
                  .counters = chain.counters,
                  .loop = chain.loop,
                  .watch = watch.get(),
                  .link = &chain.links[link],
                  .chain_name = chain.dispatcher.name()} {}

void Link::begin(const Context& context, exchange::Watched watched) {
  made_[0] = made_[1] = owes_headers_[0] = owes_headers_[1] = false;
  mode_.reset();
  alarm_.reset();
  paused_ = ended_ = replied_ = false;
  exchange_.begin_link(context, watched);
}

void Link::feed(const host::Message& message, bool made) {
  if (is_headers(*message.phase)) owes_headers_[way(*message.phase)] = true;
  // What came before goes first.
  if (paused_ || !waiting_.empty() || exchange_.busy()) {
    auto kept = std::make_unique<exchange::KeptMessage>();
    kept->keep(message, false);
    const std::size_t bytes = sizeof(Waiting) + sizeof(exchange::KeptMessage) + kept->bytes();
    waiting_bytes_ += bytes;
    waiting_.push({std::move(kept), bytes, made});
    return;
  }
  hand_over(message, made);
}

void Link::hand_over(const host::Message& message, bool made) {
  if (made) made_[way(*message.phase)] = true;
  exchange_.sent_at(chain_.sent_at(*message.phase));
  exchange_.on(message);
}

void Link::deliver() {
  while (!paused_ && !ended_ && !waiting_.empty() && !exchange_.busy()) {
    const Waiting next = waiting_.pop();
    waiting_bytes_ -= next.bytes;
    const host::Message& message = next.message->message();
    next.made || takes(*message.phase) ? hand_over(message, next.made)
                                       : chain_.on_passed(*this, message);
  }
}

void Link::override_mode(const ModeOverride& asked) {
  const std::optional<ModeOverride> before = std::exchange(mode_, asked);
  if (!before) return;
  if (!mode_->request_body_mode) mode_->request_body_mode = before->request_body_mode;
  if (!mode_->response_body_mode) mode_->response_body_mode = before->response_body_mode;
}

std::optional<BodySendMode> Link::body_mode(Phase phase) const {
  if (mode_) {
    const auto& asked =
        is_request_phase(phase) ? mode_->request_body_mode : mode_->response_body_mode;
    if (asked) return asked;
  }
  return chain_.configured(phase);
}

bool Link::takes(Phase phase) const {
  if (ended_) return false;
  if (is_body(phase))
    return dispatcher().phases().contains(phase) &&
           (!chain_.modes_differ() || body_mode(phase) != BodySendMode::none);
  if (!mode_) return true;
  switch (phase) {
    case Phase::request_trailers:
      return mode_->request_trailer_mode != HeaderSendMode::skip;
    case Phase::response_headers:
      return mode_->response_header_mode != HeaderSendMode::skip;
    case Phase::response_trailers:
      return mode_->response_trailer_mode != HeaderSendMode::skip;
    default:
      return true;
  }
}

std::optional<std::uint64_t> Link::take_owed(Phase body) {
  auto& owed = owed_[way(body)];
  if (owed.empty()) return std::nullopt;
  return owed.pop();
}

void Link::on_wake() {
  alarm_.reset();
  exchange_.on_wake();
}

bool Link::close(GrpcStatus status, bool cancelled) {
  waiting_.clear();
  waiting_bytes_ = 0;
  for (auto& owed : owed_) owed.clear();
  const bool released = exchange_.on_closed(status, cancelled, {});
  headers_on.assign({});
  recycle(body_on, kKeptBodyBytes);
  return released;
}

void Link::headers(Phase phase, const HttpHeaders& message, const HeadersResponse& answer) {
  owes_headers_[way(phase)] = false;
  chain_.on_headers(*this, phase, message, answer);
}

void Link::body(Phase phase, const HttpBody& message, BodyResponse& answer) {
  chain_.on_body(*this, phase, message, answer);
}

void Link::trailers(Phase phase, const HttpTrailers& message, const TrailersResponse& answer) {
  chain_.on_trailers(*this, phase, message, answer);
}

void Link::piece(Phase phase, const HttpBody& piece, const ResponseExtras* extras) {
  chain_.on_piece(*this, phase, piece, extras);
}

void Link::reply(Phase phase, const ImmediateResponse& response, const ResponseExtras* extras) {
  ended_ = replied_ = true;
  owes_headers_[0] = owes_headers_[1] = false;
  chain_.on_reply(*this, phase, response, extras);
}

void Link::finish(GrpcStatus status, std::string_view message) {
  ended_ = true;
  // One that answered at once ends its own exchange alone.
  if (!replied_) chain_.on_finish(status, message);
}

void Link::ask_for_time(std::chrono::milliseconds time) { chain_.on_ask_for_time(time); }

void Link::consumed(Phase phase, std::size_t bytes) { chain_.on_consumed(*this, phase, bytes); }

bool Link::congested(Phase phase) const { return chain_.congested_behind(*this, phase); }

void Link::wake_at(std::optional<host::Clock::time_point> time) {
  alarm_ = time;
  chain_.update_alarm();
}

void Link::pause() {
  paused_ = true;
  chain_.update_pause();
}

void Link::resume() {
  paused_ = false;
  deliver();
  chain_.update_pause();
}

void Link::settled() {
  deliver();
  chain_.go_on();
}

void Link::kept(std::ptrdiff_t bytes) { chain_.on_kept(bytes); }

void Link::released() { chain_.on_released(); }

}  // namespace extproc::chain
