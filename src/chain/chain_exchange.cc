#include "chain/chain_exchange.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/access.h"
#include "exchange/keep_context.h"

namespace extproc::chain {

using host::Message;

ChainExchange::ChainExchange(exchange::Reporter& reporter,
                             std::span<const std::unique_ptr<LinkSurroundings>> around,
                             host::AnswerSink& sink, host::Control& control)
    : BaseExchange(reporter, sink, control) {
  for (const auto& each : around) {
    links_.push_back(std::make_unique<Link>(*this, *each, links_.size()));
    links_.back()->exchange().share(request_);
  }
}

void ChainExchange::begin(const detail::CallInfo& info) {
  detail::Access::begin(context_, &info, env_.loop, env_.dispatcher.suspends());
  for (Direction& each : directions_) {
    each.headers_open = each.trailers_open = each.was_congested = false;
    each.first_body = 0;
    each.reader = nullptr;
    each.owed_credit = 0;
    each.sent_at.reset();
    each.begun = false;
  }
  begun_ = {};
  alarm_.reset();
  unreleased_ = entered_ = 0;
  modes_differ_ = mode_asked_ = asked_for_time_ = going_on_ = false;
  start();
  for (const auto& link : links_) link->begin(context_, watched_);
}

void ChainExchange::expect_windows() {
  windows_ = true;
  for (const auto& link : links_) link->exchange().expect_windows();
}

// What a handler that is late reads of the context must not change: for that long the others see
// what was before.
void ChainExchange::note(const Message& message) {
  if (!any_late()) {
    exchange::keep_context(context_, message);
    renew_metadata();
  } else {
    exchange::keep_data(late_context_, message);
  }
  if (first_message_) {
    first_message_ = false;
    directions().configure(message.protocol_config);
    for (const auto& link : links_) {
      link->exchange().configure(message.protocol_config);
      link->exchange().watch_as(watched_, context_.trace());
      link->exchange().come_as(directions());
    }
    detail::Access::messages(context_).protocol_config = message.protocol_config;
  }
  if (message.phase) note_phase(message);
}

void ChainExchange::on(const Message& arrived) {
  reporter().message(arrived, request_, context_, watched_);
  note(arrived);
  if (!arrived.phase || finished_) return;
  enter([&] {
    take(arrived);
    if (windows_) bound_memory();
  });
  tell_kept(kept_bytes());
}

void ChainExchange::take(Message message) {
  const Phase phase = *message.phase;
  if (directions().of(phase).replaced() || reply_) {
    // It was under way when its direction was replaced, or all was answered.
    if (is_body(phase)) sink().consumed(phase, message.body.size());
    return;
  }
  message.source = nullptr;
  message.has_attributes = message.has_metadata = false;
  const HeaderView headers(message.headers);
  begin_phase(phase, is_headers(phase) ? &headers : nullptr);
  if (observes()) return observe(message);
  Direction& its = direction(phase);
  // A link may begin to wait long after Envoy has.
  if (env_.dispatcher.suspends()) its.sent_at = now();
  its.begun = true;
  std::optional<std::uint64_t> number;
  asked_for_time_ = false;
  if (is_headers(phase)) {
    its.headers.clear();
    its.headers_open = true;
  } else if (is_trailers(phase)) {
    its.trailers.clear();
    its.trailers_open = true;
  } else if (!directions().of(phase).full_duplex()) {
    number = its.first_body + its.bodies.size();
    its.bodies.emplace();
    its.body_bytes += sizeof(Fold);
  }
  pass_on(0, message, number);
}

// Each filter that only observes sees the message as it came.
void ChainExchange::observe(const Message& message) {
  const Phase phase = *message.phase;
  for (std::size_t place = 0; place < links_.size(); ++place) {
    Link& link = link_at(phase, place);
    if (is_body(phase) && !link.takes(phase)) continue;
    if (!link.ended()) link.feed(message);
  }
}

void ChainExchange::on_end() {
  half_closed_ = true;
  enter([this] {
    end_body(Phase::request_body, 0);
    end_body(Phase::response_body, 0);
  });
}

// What the first of them is still to write goes to the next before that one is told.
void ChainExchange::end_body(Phase phase, std::size_t place) {
  for (; place < links_.size(); ++place) {
    Link& link = link_at(phase, place);
    link.exchange().on_body_end(phase);
    if (!observes() && link.exchange().body_running(phase)) return;
  }
}

void ChainExchange::on_writable() {
  enter([this] {
    for (const auto& link : links_) link->exchange().on_writable();
  });
}

void ChainExchange::on_wake() {
  alarm_.reset();
  const auto now = this->now();
  enter([&] {
    for (const auto& link : links_) {
      if (link->alarm() && *link->alarm() <= now) link->on_wake();
    }
    update_alarm();
  });
}

bool ChainExchange::on_closed(GrpcStatus status, bool cancelled, std::string_view why) {
  note_closed(status, cancelled, owes_answer(), why);
  closing_ = true;
  unreleased_ = links_.size();
  for (const auto& link : links_) {
    if (link->close(status_, cancelled)) --unreleased_;
  }
  closing_ = false;
  if (unreleased_ > 0) return false;
  release();
  return true;
}

void ChainExchange::on_released() {
  if (--unreleased_ > 0 || closing_) return;
  release();
  control_.released();
}

void ChainExchange::release() {
  end_all(PhaseOutcome::cancelled);
  for (Direction& each : directions_) {
    each.bodies.clear();
    each.body_bytes = 0;
    each.pieces.reset();
    each.made.reset();
    each.made_headers.assign({});
    each.headers.clear();
    each.trailers.clear();
  }
  reply_.reset();
  reply_fold_.clear();
  detail::Access::reset(headers_answer_);
  detail::Access::reset(body_answer_);
  detail::Access::reset(trailers_answer_);
  late_context_.data.reset();
  const Completed how = completed();
  for (const auto& link : links_) link->exchange().tell_complete();
  complete_exchange(how);
  detail::Access::messages(context_).made.clear();
}

void ChainExchange::on_finished() {
  end_all(PhaseOutcome::cancelled);
  update_alarm();
}

void ChainExchange::on_finish(GrpcStatus status, std::string_view message) {
  if (finished_ || closed_) return;
  end_all(PhaseOutcome::failed);
  finish(status, message);
}

void ChainExchange::update_alarm() {
  if (closed_) return;
  std::optional<Clock::time_point> next;
  if (!finished_) {
    for (const auto& link : links_) {
      if (link->alarm() && (!next || *link->alarm() < *next)) next = link->alarm();
    }
  }
  if (next == alarm_) return;
  alarm_ = next;
  control_.wake_at(next);
}

void ChainExchange::update_pause() {
  if (closed_) return;
  const bool wanted = any([](Link& link) { return link.paused(); });
  // The host may hand over a message at once.
  if (wanted || (entered_ == 0 && !busy())) set_paused(wanted);
}

void ChainExchange::keep_late_context() {
  if (late_context_.data == nullptr || any_late()) return;
  const auto late = std::move(late_context_.data);
  auto& kept = detail::Access::messages(context_).some_data();
  for (const std::size_t way : {0, 1}) {
    if (!late->attributes[way].bytes().empty()) kept.attributes[way].take(late->attributes[way]);
  }
  if (late->metadata.bytes().empty()) return;
  kept.metadata.take(late->metadata);
  renew_metadata();
}

void ChainExchange::bound_memory() {
  std::size_t bytes = sink().held_bytes();
  for (const auto& link : links_) bytes += link->unread_bytes();
  for (const Direction& each : directions_) bytes += each.body_bytes;
  if (bytes > env_.settings.flow_controlled_bytes) finish_too_large();
}

// What the links keep they tell themselves.
std::size_t ChainExchange::kept_bytes() const {
  std::size_t bytes = context_bytes() + detail::Access::messages(context_).made.memory();
  if (late_context_.data != nullptr) bytes += late_context_.data->memory();
  for (const auto& link : links_) bytes += link->waiting_bytes();
  for (const Direction& each : directions_) bytes += each.body_bytes;
  return bytes;
}

bool ChainExchange::owes_answer() const {
  for (const Direction& each : directions_) {
    if (each.headers_open || each.trailers_open || !each.bodies.empty() || each.made) return true;
  }
  return any([](Link& link) { return link.exchange().owes_answer() || link.waiting_bytes() > 0; });
}

bool ChainExchange::running() const {
  return directions_[0].made || directions_[1].made || any([](Link& link) { return !link.idle(); });
}

void ChainExchange::describe_handler(exchange::OpenExchange& open) const {
  const auto running =
      std::ranges::find_if(links_, [](const auto& link) { return link->exchange().running(); });
  if (running == links_.end()) return;
  open.processor = (*running)->dispatcher().name();
  (*running)->exchange().describe_handler(open);
}

void ChainExchange::go_on() {
  if (entered_ > 0 || going_on_ || closed_ || busy()) return;
  going_on_ = true;
  keep_late_context();
  for (Direction& each : directions_) {
    while (!finished_ && each.made && (!each.made->waits || body_awaited(*each.made)))
      step(*each.made);
  }
  if (half_closed_ && !finished_) {
    for (const Phase phase : {Phase::request_body, Phase::response_body}) end_body(phase, 0);
  }
  end_phases();
  if (!finished_ && ends_early()) finish_early();
  if (half_closed_ && !running()) finish(GrpcStatus::ok);
  going_on_ = false;
  tell_kept(kept_bytes());
  update_pause();
}

bool ChainExchange::ends_early() const {
  if (!nothing_follows() || running()) return false;
  for (const Direction& each : directions_) {
    if (each.headers_open || each.trailers_open || !each.bodies.empty()) return false;
  }
  return true;
}

void ChainExchange::begin_phase(Phase phase, const HeaderView* headers) {
  detail::Access::begin_phase(request_, phase, headers);
  auto& begun = begun_[static_cast<std::size_t>(phase)];
  // In the response's headers each leaves its name.
  const bool called = env_.dispatcher.phases().contains(phase) ||
                      (phase == Phase::response_headers && !env_.settings.chain_header.empty());
  if (begun || !called) return;
  begun = now();
  reporter().phase_begin(request_, context_, watched_, phase);
}

void ChainExchange::end_phase(Phase phase, PhaseOutcome outcome) {
  auto& begun = begun_[static_cast<std::size_t>(phase)];
  if (!begun) return;
  const std::chrono::nanoseconds spent = now() - *begun;
  begun.reset();
  detail::Access::end_phase(request_, spent);
  reporter().phase_end(request_, context_, watched_, phase, outcome, spent);
}

// A body that one of them handles as a whole is one phase, to the end of all such handlers; an
// observer's answers are none.
void ChainExchange::end_phases() {
  for (const Phase phase : {Phase::request_body, Phase::response_body}) {
    const bool runs = any([&](Link& link) { return link.exchange().body_running(phase); });
    if (!runs && env_.dispatcher.streamed().contains(phase) && direction(phase).bodies.empty())
      end_phase(phase, PhaseOutcome::answered);
  }
  if (observes() && !running()) end_all(PhaseOutcome::answered);
}

void ChainExchange::end_all(PhaseOutcome outcome) {
  for (std::size_t i = 0; i < kPhaseCount; ++i) end_phase(static_cast<Phase>(i), outcome);
}

}  // namespace extproc::chain
