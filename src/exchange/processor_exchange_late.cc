// ProcessorExchange: handlers that wait, and what is done in time for those that wait too long.
#include <algorithm>
#include <utility>

#include "base/access.h"
#include "exchange/processor_exchange.h"

namespace extproc::exchange {

void ProcessorExchange::wait_for_handler() {
  update_pause();
  take_fallback();
  start_deadline();
}

void ProcessorExchange::take_fallback() {
  if (const detail::Fallback* fallback = detail::Access::fallback(response()))
    waiting_->fallback = *fallback;
}

std::optional<Clock::time_point> ProcessorExchange::fall_back_at() const {
  if (!waiting_->fallback) return std::nullopt;
  return waiting_->since + waiting_->fallback->after;
}

void ProcessorExchange::set_fallback(const detail::Fallback& fallback) noexcept {
  if (closed_ || finished_ || late_ != Late::none) return;
  waiting_->fallback = fallback;
  if (pending_) start_deadline();
}

void ProcessorExchange::start_deadline() {
  waiting_->deadline.begin(waiting_->since, env_.settings.filter,
                           !directions().of(phase_).full_duplex(), fall_back_at());
  update_alarm();
}

void ProcessorExchange::on_waiting(BodySession& session) {
  if (!directions().of(session.phase()).full_duplex() || !session.idle()) return;
  run_of(session).deadline.clear();
  update_alarm();
}

void ProcessorExchange::on_fallback(BodySession& session, detail::Fallback fallback) {
  run_of(session).deadline.set_fallback(std::move(fallback));
  update_alarm();
}

void ProcessorExchange::update_alarm() {
  if (closed_) return;
  std::optional<Clock::time_point> next;
  if (!finished_ && !observes()) {
    const auto also = [&next](std::optional<Clock::time_point> due) {
      if (due && (!next || *due < *next)) next = due;
    };
    if (pending_) also(waiting_->deadline.next());
    if (pending_ && may_stream_) also(streamed_reply()->resumes_at());
    directions().each_run([&](const BodyRun& run) {
      if (!run.holds_others_up()) return;
      also(run.deadline.next());
      also(run.session.resumes_at());
    });
    directions().each_held([&](const HeldHeaders& held) { also(held.deadline.next()); });
  }
  if (next == waiting_->alarm) return;
  waiting_->alarm = next;
  control_.wake_at(next);
}

void ProcessorExchange::on_wake() {
  waiting_->alarm.reset();
  if (pending_) wake_handler();
  directions().each_run([this](BodyRun& run) {
    if (run.holds_others_up()) wake_body(run);
  });
  for (const Phase each : {Phase::request_body, Phase::response_body}) wake_held(each);
  update_alarm();
  // Writers that keep to a pace.
  on_writable();
}

void ProcessorExchange::wake_handler() {
  if (finished_ || closed_) return;
  if (may_stream_ && streamed_reply()->begun()) return waiting_->deadline.clear();
  if (!must_fall_back(phase_, waiting_->deadline.due(now()))) return;
  late_ == Late::none ? fall_back() : give_up();
}

void ProcessorExchange::wake_body(BodyRun& run) {
  if (finished_ || closed_) return;
  const auto due = run.deadline.due(now());
  const Phase phase = run.session.phase();
  // While headers are held their own deadline bounds it.
  const Direction& its = directions().of(phase);
  const bool tells = its.full_duplex() && its.held == nullptr && !run.session.waits_here();
  if (due == ReplyDeadline::Action::tell && !tells) return;
  if (must_fall_back(phase, due)) fall_back(run);
}

// Does what is due before a fallback.
bool ProcessorExchange::must_fall_back(Phase phase, ReplyDeadline::Action due) {
  if (due == ReplyDeadline::Action::tell) reporter().waits_untimed(request_, phase);
  if (due == ReplyDeadline::Action::extend) {
    // A chain asks once for all of its processors.
    if (env_.link == nullptr) env_.counters.time_extensions.add();
    sink().ask_for_time(env_.settings.filter.max_message_timeout);
  }
  return due == ReplyDeadline::Action::fall_back;
}

void ProcessorExchange::tell_fallback(Phase phase) {
  env_.counters.fallbacks.add();
  reporter().violation(request_, phase, Rule::answered_too_late, {});
}

void ProcessorExchange::fall_back() {
  late_ = Late::fell_back;
  tell_fallback(phase_);
  send_fallback();
  detail::Access::request_cancel(context_);
  update_pause();
}

// The handler's own response may still be written to: the answer is made of another.
void ProcessorExchange::send_fallback() {
  if (may_stream_) streamed_reply()->close();
  if (const auto& immediate = waiting_->fallback->response) {
    send_immediate(phase_, *immediate, nullptr);
  } else {
    send_unchanged(phase_, scratch().headers, scratch().trailers, scratch().body);
  }
}

void ProcessorExchange::fall_back(BodyRun& run) {
  tell_fallback(run.session.phase());
  send_fallback(run);
  deliver_held();
  update_pause();
}

void ProcessorExchange::send_fallback(BodyRun& run) {
  if (const auto& immediate = run.deadline.fallback()->response)
    send_immediate(run.session.phase(), *immediate, nullptr);
  run.session.abandon();
}

// The next message has waited for it as well.
void ProcessorExchange::give_up() {
  late_ = Late::gave_up;
  tell_fallback(phase_);
  deliver_held();
  update_pause();
}

// While a late handler may run: on another thread it uses the request and the context.
void ProcessorExchange::receive_past_late(const host::Message& message, bool noted) {
  if (late_ == Late::fell_back && message.phase) {
    hold(message, false);
    const auto now = this->now();
    waiting_->deadline.begin(now, env_.settings.filter,
                             !directions().of(*message.phase).full_duplex(),
                             now + waiting_->fallback->after);
    update_alarm();
    update_pause();
    return;
  }
  if (!noted) note(message);
  if (message.phase && !finished_) pass_unchanged(message);
  if (windows_) bound_memory();
}

void ProcessorExchange::pass_unchanged(const host::Message& message) {
  const Phase phase = *message.phase;
  if (is_dropped(message) || hold_back(message)) return;
  if (is_body(phase) && body(phase) != nullptr) return take_streamed(message);
  release_headers(phase);
  send_unchanged(phase, HttpHeaders(message.headers, message.end_of_stream),
                 HttpTrailers(message.headers),
                 HttpBody(message.body, message.end_of_stream, message.body_flags));
  after_answer();
}

detail::TimeLeft ProcessorExchange::time_left() {
  // Of a response that has begun no piece is timed, and no fallback is sent in its place.
  if (may_stream_ && streamed_reply()->begun()) return time_until(std::nullopt, false);
  take_fallback();
  return time_until(
      ReplyDeadline::answer_by(waiting_->since, env_.settings.filter,
                               !directions().of(phase_).full_duplex(), fall_back_at()),
      waiting_->fallback.has_value());
}

detail::TimeLeft ProcessorExchange::time_left(const BodySession& session) const {
  const auto& run = directions().of(session.phase()).run;
  if (run == nullptr) return time_until(std::nullopt, false);
  return time_until(run->deadline.answer_by(), run->deadline.fallback().has_value());
}

// A fallback is sent at `answer_by`, however long Envoy would wait.
detail::TimeLeft ProcessorExchange::time_until(std::optional<Clock::time_point> answer_by,
                                               bool falls_back) const {
  const auto now = this->now();
  detail::TimeLeft left;
  // Nobody waits for what an observer answers.
  if (answer_by && !observes()) (falls_back ? left.certain : left.told) = *answer_by - now;
  const host::CallInfo* const call = detail::Access::call(context_);
  if (const auto deadline = call == nullptr ? std::nullopt : call->deadline())
    left.certain = std::min<std::chrono::nanoseconds>(left.certain, *deadline - now);
  return left;
}

// What it had was less, by what is left for the answer's way.
void ProcessorExchange::on_outlasted(Phase phase, std::chrono::nanoseconds time) const {
  if (time > env_.settings.filter.message_timeout) reporter().outlasts(request_, phase, time);
}

// Some work of the handler was not run: its fallback is sent now, while there is time, or nobody
// waits any longer.
PhaseOutcome ProcessorExchange::refuse(Phase phase, std::string_view why) {
  const bool begun = may_stream_ && streamed_reply()->begun();
  const bool whole = env_.dispatcher.streamed().contains(phase);
  const bool falls_back =
      whole ? body(phase)->deadline.fallback().has_value() : waiting_->fallback && !begun;
  if (!falls_back) {
    finish(GrpcStatus::resource_exhausted, why);
    return PhaseOutcome::aborted;
  }
  env_.counters.fallbacks.add();
  whole ? send_fallback(*body(phase)) : send_fallback();
  return PhaseOutcome::late;
}

void ProcessorExchange::complete(std::exception_ptr failure) noexcept {
  pending_ = false;
  busy_ = true;
  conclude(failure, waiting_->start);
  busy_ = false;
  if (late_ == Late::fell_back) {
    late_ = Late::none;
    if (!closed_) detail::Access::renew_cancel(context_);
  }
  env_.give_back(std::move(waiting_->scratch));
  update_alarm();
  after_handler();
}

}  // namespace extproc::exchange
