#include "exchange/processor_exchange.h"

#include <utility>

#include "base/access.h"

namespace extproc::exchange {

void ProcessorExchange::begin(const detail::CallInfo& info) {
  detail::Access::begin(context_, &info, env_.loop, env_.dispatcher.suspends());
  start_handlers();
}

void ProcessorExchange::begin_link(const Context& context, Watched watched) {
  watched_ = watched;
  detail::Access::begin_beside(context_, context, env_.dispatcher.suspends());
  start_handlers();
}

void ProcessorExchange::start_handlers() {
  busy_ = may_stream_ = pending_ = false;
  late_ = Late::none;
  if (env_.dispatcher.suspends()) {
    if (waiting_ == nullptr) waiting_ = std::make_unique<Waiting>();
    waiting_->alarm.reset();
    waiting_->sent.reset();
  }
  start();
}

// A suspended handler has returned: what waited for it goes on.
void ProcessorExchange::after_handler() {
  if (closed_) {
    if (closing_ || running()) return;
    env_.outlived.erase(this);
    release();
    control_.released();
    return;
  }
  after_answer();
  deliver_held();
  if (half_closed_) finish_half_closed();
  update_pause();
  tell_kept();
  control_.settled();
}

// Ends the stream when nothing is left to say that a handler would change.
void ProcessorExchange::after_answer() {
  if (!finished_ && ends_early()) finish_early();
}

bool ProcessorExchange::ends_early() const {
  return env_.link == nullptr && !running() && (waiting_ == nullptr || waiting_->held.empty()) &&
         nothing_follows();
}

bool ProcessorExchange::body_running(Phase body) const {
  const auto& run = directions().of(body).run;
  return run != nullptr && run->session.running();
}

Clock::time_point ProcessorExchange::sent() const { return waiting_->sent.value_or(now()); }

std::size_t ProcessorExchange::unread_bytes() const {
  std::size_t bytes = 0;
  directions().each_run([&](const BodyRun& run) { bytes += run.session.unread_bytes(); });
  return bytes;
}

Phase ProcessorExchange::running_phase() const {
  Phase phase = phase_;
  if (pending_) return phase;
  directions().each_run([&](const BodyRun& run) {
    if (run.session.running()) phase = run.session.phase();
  });
  return phase;
}

bool ProcessorExchange::running() const {
  bool any = pending_;
  directions().each_run([&](const BodyRun& run) { any |= run.session.running(); });
  return any;
}

// What is answered in time by its fallback is no handler's any more, and one that only waits for
// more of its body has answered what it read.
bool ProcessorExchange::owes_answer() const {
  if (waiting_ == nullptr) return false;
  bool any = (pending_ && late_ == Late::none) || !waiting_->held.empty();
  directions().each_run(
      [&](const BodyRun& run) { any |= run.holds_others_up() && !run.session.idle(); });
  directions().each_held([&](const HeldHeaders&) { any = true; });
  return any;
}

bool ProcessorExchange::reads_nothing() const {
  bool none = !pending_;
  directions().each_run([&](const BodyRun& run) { none &= run.session.idle(); });
  return none;
}

void ProcessorExchange::update_pause() {
  if (waiting_ == nullptr) return;
  bool wanted =
      pending_ && (late_ == Late::none || (late_ == Late::fell_back && !waiting_->held.empty()));
  directions().each_run([&](const BodyRun& run) {
    if (run.session.unread_bytes() >= env_.settings.unread_body_bytes && !windows_) wanted = true;
  });
  set_paused(wanted);
}

void ProcessorExchange::bound_memory() {
  const std::size_t held = waiting_ == nullptr ? 0 : waiting_->held_bytes;
  if (sink().held_bytes() + held + unread_bytes() > env_.settings.flow_controlled_bytes)
    finish_too_large();
}

std::size_t ProcessorExchange::kept_bytes() {
  std::size_t bytes = context_bytes();
  if (waiting_ == nullptr) return bytes;
  bytes += waiting_->held_bytes;
  if (may_stream_ && !env_.dispatcher.blocks()) bytes += streamed_reply()->collected_bytes();
  if (waiting_->scratch != nullptr) bytes += waiting_->scratch->message.bytes();
  directions().each_run([&](const BodyRun& run) { bytes += run.session.kept_bytes(); });
  directions().each_held([&](const HeldHeaders& held) { bytes += held.call->message.bytes(); });
  return bytes;
}

void ProcessorExchange::on_writable() {
  wake_writer();
  directions().each_run([](BodyRun& run) { run.session.on_writable(); });
}

void ProcessorExchange::on_body_end(Phase body) {
  if (body_running(body)) {
    this->body(body)->session.on_input_end();
  } else {
    release_headers(body);
  }
}

void ProcessorExchange::on_end() {
  half_closed_ = true;
  directions().each_run([](BodyRun& run) { run.session.on_input_end(); });
  finish_half_closed();
}

void ProcessorExchange::finish_half_closed() {
  if (running() || finished_) return;
  if (waiting_ != nullptr) {
    for (const Phase each : {Phase::request_body, Phase::response_body}) release_headers(each);
  }
  finish(GrpcStatus::ok);
}

void ProcessorExchange::on_finished() {
  if (may_stream_) streamed_reply()->close();
}

bool ProcessorExchange::on_closed(GrpcStatus status, bool cancelled, std::string_view why) {
  note_closed(status, cancelled, owes_answer(), why);
  if (may_stream_) streamed_reply()->close();
  if (running()) {
    // A handler may return at once when it is told.
    closing_ = true;
    detail::Access::request_cancel(context_);
    wake_writer();
    directions().each_run([](BodyRun& run) {
      if (run.session.running()) run.session.cancel();
    });
    closing_ = false;
    if (running()) {
      env_.outlived.insert(this);
      return false;
    }
  }
  release();
  return true;
}

void ProcessorExchange::release() {
  if (waiting_ != nullptr) {
    for (const Phase each : {Phase::request_body, Phase::response_body}) {
      body(each).reset();
      if (const auto held = std::move(directions().of(each).held))
        env_.give_back(std::move(held->call));
    }
    waiting_->held.clear();
    waiting_->held_bytes = 0;
    env_.give_back(std::move(waiting_->scratch));
  }
  // Those of a chain are told when the chain is over.
  if (env_.link == nullptr) tell_complete();
}

}  // namespace extproc::exchange
