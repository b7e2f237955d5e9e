#include "exchange/processor_exchange.h"

#include <utility>

#include "base/access.h"

namespace extproc::exchange {

void ProcessorExchange::begin(const detail::CallInfo& info) {
  detail::Access::begin(context_, &info, env_.loop, env_.dispatcher.suspends());
  start();
}

void ProcessorExchange::begin_link(const Context& context) {
  detail::Access::begin_beside(context_, context, env_.dispatcher.suspends());
  start();
}

void ProcessorExchange::start() {
  directions().begin();
  may_stream_ = false;
  status_ = GrpcStatus::ok;
  first_message_ = true;
  windows_ = false;
  late_ = Late::none;
  pending_ = paused_ = false;
  if (env_.dispatcher.suspends()) {
    if (waiting_ == nullptr) waiting_ = std::make_unique<Waiting>();
    waiting_->held.clear();
    waiting_->alarm.reset();
    waiting_->sent.reset();
  }
  half_closed_ = finished_ = closing_ = closed_ = cancelled_ = false;
  busy_ = replied_ = false;
  if (measures()) stream_start_ = env_.settings.now();
  reporter().stream_begin(request_);
}

void ProcessorExchange::on_malformed() {
  reporter().message();
  reporter().malformed_message(context_);
  finish(GrpcStatus::internal, "the message is not a ProcessingRequest");
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
  if (half_closed_ && !running()) finish(GrpcStatus::ok);
  update_pause();
  tell_kept();
  control_.settled();
}

// Ends the stream when nothing is left to say that a handler would change.
void ProcessorExchange::after_answer() {
  if (finished_ || !ends_early()) return;
  env_.counters.early_ends.add();
  finish(GrpcStatus::ok);
}

bool ProcessorExchange::ends_early() const {
  if (!env_.settings.early_end || env_.link != nullptr || context_.observability_mode() ||
      !directions().config())
    return false;
  if (directions().full_duplex()) return false;
  if (running() || (waiting_ != nullptr && !waiting_->held.empty())) return false;
  PhaseSet handled = env_.dispatcher.phases();
  if (!env_.settings.chain_header.empty()) handled.insert(Phase::response_headers);
  return !directions().may_come(handled);
}

bool ProcessorExchange::body_running(Phase body) const {
  const auto& run = directions().of(body).run;
  return run != nullptr && run->session.running();
}

Clock::time_point ProcessorExchange::sent() const {
  return waiting_->sent.value_or(env_.settings.now());
}

std::size_t ProcessorExchange::unread_bytes() const {
  std::size_t bytes = 0;
  for (const Direction& each : directions().both()) {
    const BodyRun* run = each.run.get();
    if (run != nullptr) bytes += run->session.unread_bytes();
  }
  return bytes;
}

Phase ProcessorExchange::running_phase() const {
  Phase phase = phase_;
  if (pending_) return phase;
  for (const Direction& each : directions().both()) {
    const BodyRun* run = each.run.get();
    if (run != nullptr && run->session.running()) phase = run->session.phase();
  }
  return phase;
}

bool ProcessorExchange::running() const {
  if (pending_) return true;
  for (const Direction& each : directions().both()) {
    const BodyRun* run = each.run.get();
    if (run != nullptr && run->session.running()) return true;
  }
  return false;
}

void ProcessorExchange::update_pause() {
  if (waiting_ == nullptr) return;
  bool wanted =
      pending_ && (late_ == Late::none || (late_ == Late::fell_back && !waiting_->held.empty()));
  for (Direction& each : directions().both()) {
    BodyRun* run = each.run.get();
    if (run != nullptr && run->session.unread_bytes() >= env_.settings.unread_body_bytes &&
        !windows_)
      wanted = true;
  }
  if (wanted == paused_) return;
  paused_ = wanted;
  wanted ? control_.pause() : control_.resume();
}

void ProcessorExchange::bound_memory() {
  const std::size_t bytes = checker_.sink().held_bytes() + unread_bytes();
  if (bytes > env_.settings.flow_controlled_bytes)
    finish(GrpcStatus::resource_exhausted, "the client sends more of a body than it lets go");
}

void ProcessorExchange::count_kept() {
  std::size_t bytes = 0;
  for (const Held& held : waiting_->held) bytes += held.message->bytes();
  if (waiting_->scratch != nullptr) bytes += waiting_->scratch->message.bytes();
  for (Direction& each : directions().both()) {
    BodyRun* run = each.run.get();
    if (run != nullptr) bytes += run->session.kept_bytes();
  }
  if (bytes == waiting_->kept) return;
  control_.kept(static_cast<std::ptrdiff_t>(bytes) - static_cast<std::ptrdiff_t>(waiting_->kept));
  waiting_->kept = bytes;
}

void ProcessorExchange::on_writable() {
  for (Direction& each : directions().both()) {
    BodyRun* run = each.run.get();
    if (run != nullptr) run->session.on_writable();
  }
}

void ProcessorExchange::on_body_end(Phase body) {
  if (body_running(body)) this->body(body)->session.on_input_end();
}

void ProcessorExchange::on_end() {
  half_closed_ = true;
  for (Direction& each : directions().both()) {
    BodyRun* run = each.run.get();
    if (run != nullptr) run->session.on_input_end();
  }
  if (!running() && !finished_) finish(GrpcStatus::ok);
}

void ProcessorExchange::finish(GrpcStatus status, std::string_view message) {
  if (finished_) return;
  finished_ = true;
  if (may_stream_) streamed_reply()->close();
  status_ = status;
  control_.finish(status, message);
}

bool ProcessorExchange::on_closed(GrpcStatus status, bool cancelled) {
  closed_ = true;
  cancelled_ = cancelled;
  if (may_stream_) streamed_reply()->close();
  if (!finished_) status_ = status;
  if (running()) {
    // A handler may return at once when it is told.
    closing_ = true;
    detail::Access::request_cancel(context_);
    for (const Direction& each : directions().both()) {
      BodyRun* run = each.run.get();
      if (run != nullptr && run->session.running()) run->session.cancel();
    }
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
    for (Direction& each : directions().both()) each.run.reset();
    waiting_->held.clear();
    env_.give_back(std::move(waiting_->scratch));
    tell_kept();
  }
  const std::chrono::nanoseconds spent =
      measures() ? env_.settings.now() - stream_start_ : std::chrono::nanoseconds(0);
  reporter().stream_end(request_, status_, cancelled_, spent);
  control_.completed({.status = status_,
                      .cancelled = cancelled_,
                      .replied = replied_,
                      .open = spent,
                      .in_handlers = request_.overhead()});
  detail::Access::reset(request_);
}

}  // namespace extproc::exchange
