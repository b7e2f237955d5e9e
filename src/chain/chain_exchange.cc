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
    : checker_(reporter, request_, sink), control_(control) {
  for (const auto& each : around)
    links_.push_back(std::make_unique<Link>(*this, *each, links_.size()));
}

void ChainExchange::begin(const detail::CallInfo& info) {
  detail::Access::begin(context_, &info, env().loop, env().dispatcher.suspends());
  modes().begin();
  for (Direction& each : directions_) {
    each.message_open = each.was_congested = false;
    each.bodies.clear();
    each.first_body = 0;
    each.pieces.reset();
    each.reader = nullptr;
    each.owed_credit = 0;
    each.made.reset();
    each.sent_at.reset();
    each.begun = false;
  }
  reply_.reset();
  late_context_.reset();
  begun_ = {};
  alarm_.reset();
  unreleased_ = entered_ = 0;
  status_ = GrpcStatus::ok;
  first_message_ = true;
  replied_ = modes_differ_ = mode_asked_ = asked_for_time_ = windows_ = going_on_ = paused_ =
      half_closed_ = false;
  finished_ = closing_ = closed_ = cancelled_ = false;
  for (const auto& link : links_) link->begin(context_);
  if (measures()) stream_start_ = env().settings.now();
  checker_.reporter().stream_begin(request_);
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
  } else if (message.source != nullptr) {
    if (!late_context_) late_context_.emplace();
    if (message.has_attributes) message.source->store_attributes(late_context_->attributes);
    if (message.has_metadata) {
      message.source->store_metadata(late_context_->metadata);
      late_context_->has_metadata = true;
    }
  }
  if (first_message_) {
    first_message_ = false;
    modes().configure(message.protocol_config);
    for (const auto& link : links_) {
      link->exchange().configure(message.protocol_config);
      link->exchange().come_as(modes());
    }
    detail::Access::messages(context_).protocol_config = message.protocol_config;
  }
  if (message.phase) modes().of(*message.phase).seen(*message.phase, message.end_of_stream);
}

void ChainExchange::on(const Message& arrived) {
  checker_.reporter().message();
  note(arrived);
  if (!arrived.phase || finished_) return;
  ++entered_;
  const Phase phase = *arrived.phase;
  if (modes().of(phase).replaced() || reply_) {
    // It was under way when its direction was replaced, or all was answered.
    if (is_body(phase)) checker_.sink().consumed(phase, arrived.body.size());
  } else {
    Message message = arrived;
    message.source = nullptr;
    message.has_attributes = message.has_metadata = false;
    const HeaderView headers(message.headers);
    begin_phase(phase, is_headers(phase) ? &headers : nullptr);
    if (observes()) {
      observe(message);
    } else {
      Direction& its = direction(phase);
      // A link may begin to wait long after Envoy has.
      if (env().dispatcher.suspends()) its.sent_at = env().settings.now();
      its.begun = true;
      std::optional<std::uint64_t> number;
      if (!is_body(phase)) {
        its.message.clear();
        its.message_open = true;
      } else if (!modes().of(phase).full_duplex()) {
        number = its.first_body + its.bodies.size();
        its.bodies.emplace_back();
      }
      pass_on(0, message, number);
    }
  }
  if (windows_) bound_memory();
  --entered_;
  go_on();
  tell_kept();
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

void ChainExchange::on_malformed() {
  checker_.reporter().message();
  checker_.reporter().malformed_message(request_, context_);
  finish(GrpcStatus::internal, "the message is not a ProcessingRequest", PhaseOutcome::cancelled);
}

void ChainExchange::on_end() {
  half_closed_ = true;
  ++entered_;
  end_body(Phase::request_body, 0);
  end_body(Phase::response_body, 0);
  --entered_;
  go_on();
}

// What the first of them is still to write goes to the next before that one is told.
void ChainExchange::end_body(Phase phase, std::size_t place) {
  for (; place < links_.size(); ++place) {
    Link& link = link_at(phase, place);
    if (!link.exchange().body_running(phase)) continue;
    link.exchange().on_body_end(phase);
    if (!observes() && link.exchange().body_running(phase)) return;
  }
}

void ChainExchange::on_writable() {
  ++entered_;
  for (const auto& link : links_) link->exchange().on_writable();
  --entered_;
  go_on();
}

void ChainExchange::on_wake() {
  alarm_.reset();
  const auto now = env().settings.now();
  ++entered_;
  for (const auto& link : links_) {
    if (link->alarm() && *link->alarm() <= now) link->on_wake();
  }
  --entered_;
  update_alarm();
  go_on();
}

bool ChainExchange::on_closed(GrpcStatus status, bool cancelled) {
  closed_ = true;
  cancelled_ = cancelled;
  if (!finished_) status_ = status;
  closing_ = true;
  unreleased_ = links_.size();
  for (const auto& link : links_) {
    if (link->close(status, cancelled)) --unreleased_;
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
  for (std::size_t i = 0; i < kPhaseCount; ++i)
    end_phase(static_cast<Phase>(i), PhaseOutcome::cancelled);
  for (Direction& each : directions_) each.bodies.clear();
  tell_kept();
  const std::chrono::nanoseconds spent =
      measures() ? env().settings.now() - stream_start_ : std::chrono::nanoseconds(0);
  checker_.reporter().stream_end(request_, status_, cancelled_, spent);
  control_.completed({.status = status_,
                      .cancelled = cancelled_,
                      .replied = replied_,
                      .open = spent,
                      .in_handlers = request_.overhead()});
  detail::Access::reset(request_);
}

void ChainExchange::finish(GrpcStatus status, std::string_view message, PhaseOutcome outcome) {
  if (finished_ || closed_) return;
  finished_ = true;
  status_ = status;
  for (std::size_t i = 0; i < kPhaseCount; ++i) end_phase(static_cast<Phase>(i), outcome);
  update_alarm();
  control_.finish(status, message);
}

void ChainExchange::on_finish(GrpcStatus status, std::string_view message) {
  finish(status, message, PhaseOutcome::failed);
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
  const bool wanted =
      std::any_of(links_.begin(), links_.end(), [](const auto& link) { return link->paused(); });
  if (wanted == paused_) return;
  // The host may hand over a message at once.
  if (!wanted && (entered_ > 0 || busy())) return;
  paused_ = wanted;
  wanted ? control_.pause() : control_.resume();
}

bool ChainExchange::busy() const {
  return std::any_of(links_.begin(), links_.end(),
                     [](const auto& link) { return link->exchange().busy(); });
}

bool ChainExchange::any_late() const {
  return std::any_of(links_.begin(), links_.end(),
                     [](const auto& link) { return link->exchange().late(); });
}

void ChainExchange::keep_late_context() {
  if (!late_context_ || any_late()) return;
  auto& kept = detail::Access::messages(context_).some_data();
  kept.attributes.append(late_context_->attributes);
  if (late_context_->has_metadata) kept.metadata = std::move(late_context_->metadata);
  late_context_.reset();
}

bool ChainExchange::running() const {
  return directions_[0].made || directions_[1].made ||
         std::any_of(links_.begin(), links_.end(), [](const auto& link) { return !link->idle(); });
}

void ChainExchange::go_on() {
  if (entered_ > 0 || going_on_ || closed_ || busy()) return;
  going_on_ = true;
  keep_late_context();
  for (Direction& each : directions_) {
    while (!finished_ && each.made && !each.made->waits) step(*each.made);
  }
  if (half_closed_ && !finished_) {
    for (const Phase phase : {Phase::request_body, Phase::response_body}) end_body(phase, 0);
  }
  end_phases();
  if (!finished_ && ends_early()) {
    env().counters.early_ends.add();
    finish(GrpcStatus::ok, {}, PhaseOutcome::answered);
  }
  if (half_closed_ && !running()) finish(GrpcStatus::ok, {}, PhaseOutcome::answered);
  going_on_ = false;
  tell_kept();
  update_pause();
}

bool ChainExchange::ends_early() const {
  if (!env().settings.early_end || observes() || !modes().config()) return false;
  if (modes().full_duplex()) return false;
  if (running()) return false;
  for (const Direction& each : directions_) {
    if (each.message_open || !each.bodies.empty()) return false;
  }
  PhaseSet handled = env().dispatcher.phases();
  if (!env().settings.chain_header.empty()) handled.insert(Phase::response_headers);
  return !modes().may_come(handled);
}

void ChainExchange::begin_phase(Phase phase, const HeaderView* headers) {
  detail::Access::begin_phase(request_, phase, headers);
  auto& begun = begun_[static_cast<std::size_t>(phase)];
  // In the response's headers each leaves its name.
  const bool called = env().dispatcher.phases().contains(phase) ||
                      (phase == Phase::response_headers && !env().settings.chain_header.empty());
  if (begun || !called) return;
  begun = env().settings.now();
  checker_.reporter().phase_begin(request_, phase);
}

void ChainExchange::end_phase(Phase phase, PhaseOutcome outcome) {
  auto& begun = begun_[static_cast<std::size_t>(phase)];
  if (!begun) return;
  const std::chrono::nanoseconds spent = env().settings.now() - *begun;
  begun.reset();
  detail::Access::end_phase(request_, spent);
  checker_.reporter().phase_end(request_, phase, outcome, spent);
}

// A body that one of them handles as a whole is one phase, to the end of all such handlers; an
// observer's answers are none.
void ChainExchange::end_phases() {
  for (const Phase phase : {Phase::request_body, Phase::response_body}) {
    const bool runs = std::any_of(links_.begin(), links_.end(), [&](const auto& link) {
      return link->exchange().body_running(phase);
    });
    if (!runs && env().dispatcher.streamed().contains(phase) && direction(phase).bodies.empty())
      end_phase(phase, PhaseOutcome::answered);
  }
  if (!observes() || running()) return;
  for (std::size_t i = 0; i < kPhaseCount; ++i)
    end_phase(static_cast<Phase>(i), PhaseOutcome::answered);
}

}  // namespace extproc::chain
