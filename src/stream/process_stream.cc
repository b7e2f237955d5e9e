#include "stream/process_stream.h"

#include <string>
#include <utility>

#include "processor/chain_header.h"

namespace extproc::stream {
namespace {

using detail::add_to_chain;
using detail::set_chain;

constexpr std::string_view kSlowHandlerAdvice =
    " on an I/O thread, where other streams wait for it: mark the processor blocking(), or use "
    "co_await offload(...). This is logged once";

std::string microseconds(std::chrono::nanoseconds duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(duration).count()) +
         " us";
}

std::string text(std::initializer_list<std::string_view> parts) {
  std::string line;
  for (const auto part : parts) line.append(part);
  return line;
}

constexpr bool is_body(Phase phase) {
  return phase == Phase::request_body || phase == Phase::response_body;
}

}  // namespace

void ProcessStream::begin(const detail::CallInfo& info) {
  ContextAccess::begin(context_, &info, env_.loop, env_.dispatcher.suspends());
  writer_.begin();
  progress_ = PhaseProgress{};
  held_.clear();
  streamed_reply_.reset();
  status_ = GrpcStatus::ok;
  first_message_ = true;
  pending_ = fell_back_ = waking_ = paused_ = false;
  half_closed_ = finished_ = closing_ = closed_ = cancelled_ = false;
  env_.counters.streams_started.add();
  env_.counters.streams_open.add();
  if (env_.observer != nullptr) {
    stream_start_ = env_.now();
    env_.observer->stream_begin(env_.dispatcher.name(), request_);
  }
}

void ProcessStream::on_message(std::string_view bytes) {
  env_.counters.messages.add();
  receive(bytes, true);
}

void ProcessStream::receive(std::string_view bytes, bool arrived) {
  scratch_ = &env_.scratch;
  wire::RequestMessage message;
  bool readable = wire::read_request(bytes, message, scratch_->entries);
  const bool streamed = message.phase && env_.dispatcher.streamed().contains(*message.phase);
  // A body's session keeps what it needs itself.
  if (readable && env_.dispatcher.suspends() && !streamed) {
    own_scratch_ = env_.take_scratch();
    scratch_ = own_scratch_.get();
    scratch_->message.assign(bytes);
    bytes = scratch_->message;
    readable = wire::read_request(bytes, message, scratch_->entries);
  }
  if (readable) {
    if (arrived) note(message, bytes);
    if (message.phase && !finished_) take_message(message, bytes);
    if (writer_.flow_controlled()) bound_memory();
  } else {
    env_.counters.malformed_messages.add();
    env_.logger.log(LogLevel::warning,
                    text({env_.dispatcher.name(), ": a message from ", context_.peer(),
                          " is not a ProcessingRequest: its stream is ended"}));
    finish(GrpcStatus::internal, "the message is not a ProcessingRequest");
  }
  if (!pending_) env_.give_back(std::move(own_scratch_));
}

// What a message says about its stream, whichever phase it is of.
void ProcessStream::note(const wire::RequestMessage& message, std::string_view bytes) {
  detail::MessageContext& context = ContextAccess::messages(context_);
  if (first_message_) {
    first_message_ = false;
    writer_.configure(message);
    context.protocol_config = message.protocol_config;
  }
  context.observability_mode = message.observability_mode;
  if (message.has_attributes) wire::store_attributes(bytes, context.attributes);
  if (message.has_metadata) wire::store_metadata(bytes, context.metadata);
  if (message.client_window_update) {
    writer_.on_window_update(*message.client_window_update);
    on_writable();
  }
  if (message.phase) progress_.seen(*message.phase, message.end_of_stream);
}

void ProcessStream::take_message(const wire::RequestMessage& message, std::string_view bytes) {
  const Phase phase = *message.phase;
  if (progress_.is_replaced(phase)) {
    if (is_body(phase)) writer_.consumed(phase, message.body.size());
    return;
  }
  if (hold_back(message, bytes)) return;
  if (env_.dispatcher.streamed().contains(phase)) return take_streamed(message);

  phase_ = phase;
  switch (phase_) {
    case Phase::request_headers:
    case Phase::response_headers:
      begin_headers(message);
      break;
    case Phase::request_body:
    case Phase::response_body:
      scratch_->body = HttpBody(message.body, message.end_of_stream, message.body_flags);
      scratch_->body_response.reset();
      request_.begin_phase(phase_, nullptr);
      break;
    case Phase::request_trailers:
    case Phase::response_trailers:
      scratch_->trailers = HttpTrailers(scratch_->entries);
      scratch_->trailers_response.reset();
      request_.begin_phase(phase_, nullptr);
      break;
  }
  call_handler();
}

void ProcessStream::begin_headers(const wire::RequestMessage& message) {
  scratch_->headers = HttpHeaders(scratch_->entries, message.end_of_stream);
  scratch_->headers_response.reset();
  request_.begin_phase(phase_, &scratch_->headers);
  writer_.modes().headers_seen(phase_, request_.content_length().has_value());
  if (phase_ == Phase::request_headers) {
    if (!context_.observability_mode()) {
      streamed_reply_.emplace(writer_, env_.chain_header, env_.dispatcher.name());
      scratch_->headers_response.streamed().reset(&*streamed_reply_);
    }
  } else if (!env_.chain_header.empty() && env_.dispatcher.links().empty()) {
    add_to_chain(env_.chain_header, env_.dispatcher.name(), scratch_->headers,
                 scratch_->headers_response, scratch_->text);
  }
}

// While the handler over a body runs, its direction's trailers wait for its return, and then in
// order behind each other.
bool ProcessStream::hold_back(const wire::RequestMessage& message, std::string_view bytes) {
  const Phase phase = *message.phase;
  const auto& body = session(phase);
  const bool trailers = phase == Phase::request_trailers || phase == Phase::response_trailers;
  const bool body_runs = body != nullptr && body->running() && trailers;
  if (!body_runs && !pending_) return false;
  held_.emplace_back(bytes);
  if (body_runs) body->on_input_end();
  return true;
}

void ProcessStream::take_streamed(const wire::RequestMessage& message) {
  const Phase phase = *message.phase;
  auto& body = session(phase);
  if (body == nullptr) {
    request_.begin_phase(phase, nullptr);
    if (env_.observer != nullptr)
      env_.observer->phase_begin(env_.dispatcher.name(), request_, phase);
    detail::SessionHost& host = *this;
    body = std::make_unique<detail::BodySession>(host, env_.dispatcher, phase,
                                                 writer_.modes().mode(phase));
  }
  body->on_chunk(HttpBody(message.body, message.end_of_stream, message.body_flags));
  update_pause();
  after_answer();
}

void ProcessStream::call_handler() {
  if (!calls(phase_)) {
    answered_phase_ = phase_;
    send_answer();
    after_answer();
    return;
  }
  if (env_.logger.enabled(LogLevel::debug)) {
    env_.logger.log(LogLevel::debug, text({env_.dispatcher.name(), ": ", to_string(phase_),
                                           " begins for request ", request_.id()}));
  }
  if (env_.observer != nullptr)
    env_.observer->phase_begin(env_.dispatcher.name(), request_, phase_);

  detail::Invocation invocation{.phase = phase_,
                                .host = this,
                                .headers = &scratch_->headers,
                                .body = &scratch_->body,
                                .trailers = &scratch_->trailers,
                                .context = &context_,
                                .request = &request_,
                                .headers_response = &scratch_->headers_response,
                                .body_response = &scratch_->body_response,
                                .trailers_response = &scratch_->trailers_response,
                                .completion = this};
  phase_start_ = env_.now();
  std::exception_ptr failure;
  try {
    pending_ = env_.dispatcher.call(invocation) == detail::Step::pending;
  } catch (...) {
    failure = std::current_exception();
  }
  if (pending_) {
    wait_for_handler();
  } else {
    conclude(failure);
    after_answer();
  }
}

void ProcessStream::wait_for_handler() {
  update_pause();
  const Fallback* fallback = response().fallback();
  fallback_.reset();
  if (fallback != nullptr) fallback_ = *fallback;
  start_deadline();
}

void ProcessStream::set_fallback(const Fallback& fallback) noexcept {
  if (closed_ || finished_ || fell_back_) return;
  fallback_ = fallback;
  start_deadline();
}

void ProcessStream::start_deadline() {
  if (context_.observability_mode()) return;
  deadline_.begin(phase_start_, env_.filter, !writer_.modes().full_duplex(phase_),
                  fallback_ ? std::optional(fallback_->after) : std::nullopt);
  const auto next = deadline_.next();
  waking_ = next.has_value();
  if (waking_) sink_.wake_at(next);
}

void ProcessStream::on_wake() {
  if (!pending_ || fell_back_ || finished_ || closed_) return;
  if (streamed_reply_ && streamed_reply_->begun()) return;
  switch (deadline_.due(env_.now())) {
    case ReplyDeadline::Action::none:
      break;
    case ReplyDeadline::Action::extend:
      env_.counters.time_extensions.add();
      writer_.more_time(env_.filter.max_message_timeout);
      break;
    case ReplyDeadline::Action::fall_back:
      fall_back();
      return;
  }
  if (const auto next = deadline_.next()) sink_.wake_at(next);
}

// The handler's own response may still be written to: the answer is made of another.
void ProcessStream::fall_back() {
  env_.counters.fallbacks.add();
  env_.logger.log(LogLevel::warning,
                  text({env_.dispatcher.name(), ": ", to_string(phase_),
                        " takes too long for request ", request_.id(), ": its fallback was sent"}));
  fell_back_ = true;
  if (streamed_reply_) streamed_reply_->close();
  answered_phase_ = phase_;
  if (const auto& immediate = fallback_->response) {
    send_immediate(phase_, *immediate, nullptr);
  } else if (is_body(phase_)) {
    BodyResponse unchanged;
    writer_.body(phase_, scratch_->body, unchanged);
    writer_.consumed(phase_, scratch_->body.body().size());
  } else if (phase_ == Phase::request_trailers || phase_ == Phase::response_trailers) {
    TrailersResponse unchanged;
    writer_.trailers(phase_, unchanged);
  } else {
    HeadersResponse unchanged;
    if (phase_ == Phase::response_headers && !env_.chain_header.empty())
      add_to_chain(env_.chain_header, applied_names(), scratch_->headers, unchanged,
                   scratch_->text);
    writer_.headers(phase_, unchanged);
  }
  ContextAccess::request_cancel(context_);
}

void ProcessStream::complete(std::exception_ptr failure) noexcept {
  pending_ = false;
  if (std::exchange(waking_, false) && !closed_) sink_.wake_at(std::nullopt);
  conclude(failure);
  env_.give_back(std::move(own_scratch_));
  after_handler();
}

// A suspended handler has returned: what waited for it goes on.
void ProcessStream::after_handler() {
  if (closed_) {
    if (closing_ || running()) return;
    release();
    sink_.released();
    return;
  }
  after_answer();
  deliver_held();
  if (half_closed_ && !running()) finish(GrpcStatus::ok);
  update_pause();
}

void ProcessStream::conclude(const std::exception_ptr& failure) {
  const std::chrono::nanoseconds spent = env_.now() - phase_start_;
  if (spent > env_.slow_handler && !env_.dispatcher.suspends() &&
      env_.dispatcher.advise_once_on_time()) {
    env_.logger.log(LogLevel::warning, text({env_.dispatcher.name(), ": ", to_string(phase_),
                                             " took ", microseconds(spent), kSlowHandlerAdvice}));
  }
  PhaseOutcome outcome = PhaseOutcome::cancelled;
  answered_phase_ = phase_;
  if (fell_back_) {
    fell_back_ = false;
    outcome = PhaseOutcome::late;
    if (!closed_) ContextAccess::renew_cancel(context_);
    on_violation(Rule::answered_too_late, {});
  } else if (!closed_ && !finished_) {
    outcome = answer(failure);
  }
  end_phase(phase_, outcome, spent);
}

void ProcessStream::end_phase(Phase phase, PhaseOutcome outcome, std::chrono::nanoseconds spent) {
  request_.end_phase(spent);
  if (env_.observer != nullptr)
    env_.observer->phase_end(env_.dispatcher.name(), request_, phase, outcome, spent);
  if (env_.logger.enabled(LogLevel::debug)) {
    env_.logger.log(LogLevel::debug, text({env_.dispatcher.name(), ": ", to_string(phase),
                                           " ended for request ", request_.id(), ": ",
                                           to_string(outcome), " after ", microseconds(spent)}));
  }
}

PhaseOutcome ProcessStream::answer(const std::exception_ptr& failure) {
  if (failure != nullptr) return answer_failure(phase_, failure);
  if (const auto& abort = ContextAccess::aborted(context_)) {
    finish(abort->status, abort->message);
    return PhaseOutcome::aborted;
  }
  PhaseResponse& given = response();
  const bool headers = phase_ == Phase::request_headers || phase_ == Phase::response_headers;
  if (headers && scratch_->headers_response.streamed().started()) {
    if (streamed_reply_ && phase_ == Phase::request_headers) return send_streamed();
    if (!context_.observability_mode()) on_violation(Rule::streamed_response, {});
  }
  if (const auto& immediate = given.immediate_response())
    return send_immediate(phase_, *immediate, given.extras_or_null());
  send_answer();
  return PhaseOutcome::answered;
}

PhaseOutcome ProcessStream::answer_failure(Phase phase, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const StopRequestProcessing& stop) {
    if (streamed_reply_ && streamed_reply_->begun())
      return fail(phase, "it stopped processing after it had begun to write the response");
    return send_immediate(phase, stop.response(), nullptr);
  } catch (const std::exception& exception) {
    return fail(phase, exception.what());
  } catch (...) {
    return fail(phase, "something that is not a std::exception");
  }
}

PhaseResponse& ProcessStream::response() {
  switch (phase_) {
    case Phase::request_headers:
    case Phase::response_headers:
      return scratch_->headers_response;
    case Phase::request_body:
    case Phase::response_body:
      return scratch_->body_response;
    default:
      return scratch_->trailers_response;
  }
}

void ProcessStream::send_answer() {
  if (context_.observability_mode()) return;
  switch (phase_) {
    case Phase::request_headers:
    case Phase::response_headers:
      if (scratch_->headers_response.replacement()) progress_.replaced(phase_);
      writer_.headers(phase_, scratch_->headers_response);
      break;
    case Phase::request_body:
    case Phase::response_body:
      writer_.body(phase_, scratch_->body, scratch_->body_response);
      writer_.consumed(phase_, scratch_->body.body().size());
      break;
    case Phase::request_trailers:
    case Phase::response_trailers:
      writer_.trailers(phase_, scratch_->trailers_response);
      break;
  }
}

PhaseOutcome ProcessStream::send_streamed() {
  scratch_->headers_response.streamed().finish();
  if (auto collected = streamed_reply_->take_collected())
    return send_immediate(phase_, std::move(*collected),
                          scratch_->headers_response.extras_or_null());
  env_.counters.immediate_responses.add();
  finish(GrpcStatus::ok);
  return PhaseOutcome::immediate;
}

PhaseOutcome ProcessStream::send_immediate(Phase phase, ImmediateResponse response,
                                           const ResponseExtras* extras) {
  if (context_.observability_mode()) return PhaseOutcome::answered;
  if (!env_.chain_header.empty() && env_.dispatcher.links().empty())
    set_chain(env_.chain_header, env_.dispatcher.name(), response);
  const auto mode = writer_.modes().mode(Phase::response_body);
  const bool headers_left = phase == Phase::response_trailers ||
                            (phase == Phase::response_body && mode &&
                             (*mode == BodySendMode::streamed || is_full_duplex(*mode)));
  // In BUFFERED mode Envoy holds them until the trailers are answered.
  if (headers_left && mode != BodySendMode::buffered) on_violation(Rule::immediate_too_late, {});
  env_.counters.immediate_responses.add();
  writer_.immediate(std::move(response), extras);
  // Envoy sends nothing more on this stream.
  finish(GrpcStatus::ok);
  return PhaseOutcome::immediate;
}

PhaseOutcome ProcessStream::fail(Phase phase, std::string_view what) {
  env_.counters.handler_failures.add();
  env_.logger.log(LogLevel::error, text({env_.dispatcher.name(), ": ", to_string(phase),
                                         " failed for request ", request_.id(), ": ", what}));
  finish(GrpcStatus::unknown, text({"the handler of ", to_string(phase), " failed"}));
  return PhaseOutcome::failed;
}

void ProcessStream::send_body_answer(Phase phase, const HttpBody& body, BodyResponse& response) {
  answered_phase_ = phase;
  writer_.body(phase, body, response);
}

void ProcessStream::send_streamed_body(Phase phase, const wire::StreamedBody& body,
                                       BodyResponse& carries) {
  answered_phase_ = phase;
  writer_.streamed_body(phase, body, carries);
}

void ProcessStream::on_consumed(detail::BodySession& session, std::size_t bytes) {
  if (answers()) writer_.consumed(session.phase(), bytes);
  if (!closed_) update_pause();
}

void ProcessStream::on_written_too_late(Phase phase) {
  answered_phase_ = phase;
  on_violation(Rule::body_written_too_late, {});
}

void ProcessStream::on_session_done(detail::BodySession& session,
                                    const std::exception_ptr& failure) {
  const Phase phase = session.phase();
  PhaseOutcome outcome = PhaseOutcome::cancelled;
  if (!closed_ && !finished_) {
    outcome = PhaseOutcome::answered;
    const auto& abort = ContextAccess::aborted(session.context());
    const auto& immediate = session.body_response().immediate_response();
    answered_phase_ = phase;
    if (failure != nullptr) {
      outcome = answer_failure(phase, failure);
    } else if (abort) {
      finish(abort->status, abort->message);
      outcome = PhaseOutcome::aborted;
    } else if (immediate) {
      outcome = send_immediate(phase, *immediate, session.body_response().extras_or_null());
    } else {
      session.settle();
    }
  }
  end_phase(phase, outcome, env_.now() - session.start());
  after_handler();
}

void ProcessStream::on_violation(Rule rule, std::string_view field) {
  report(env_.dispatcher.name(), rule, field);
}

void ProcessStream::report(std::string_view name, Rule rule, std::string_view field) {
  env_.counters.misused_answers.add();
  const std::string_view what = advice(rule);
  if (env_.on_violation)
    env_.on_violation({rule, answered_phase_, std::string(field), std::string(what)});
  if (!env_.dispatcher.advise_once(rule)) return;
  const std::string_view separator = field.empty() ? "" : " \"";
  const std::string_view quote = field.empty() ? "" : "\"";
  env_.logger.log(LogLevel::warning,
                  text({name, ": ", to_string(answered_phase_), ": ", to_string(rule), separator,
                        field, quote, ": ", what, ". This is logged once"}));
}

bool ProcessStream::calls(Phase phase) const {
  // A chain's processors put their names there one by one.
  const bool names = phase == Phase::response_headers && !env_.chain_header.empty() &&
                     !env_.dispatcher.links().empty();
  return names || env_.dispatcher.phases().contains(phase);
}

std::string ProcessStream::applied_names() const {
  std::string names;
  for (const auto& link : env_.dispatcher.links()) {
    if (!names.empty()) names.push_back(',');
    names.append(link);
  }
  return names.empty() ? env_.dispatcher.name() : names;
}

void ProcessStream::link_begin(std::size_t link, const Request& request, Phase phase) {
  env_.links[link].calls.add();
  if (env_.observer != nullptr)
    env_.observer->phase_begin(env_.dispatcher.links()[link], request, phase);
}

void ProcessStream::link_end(std::size_t link, const Request& request, Phase phase,
                             PhaseOutcome outcome, std::chrono::nanoseconds spent) {
  if (outcome == PhaseOutcome::immediate) env_.links[link].immediate_responses.add();
  if (outcome == PhaseOutcome::failed) env_.links[link].failures.add();
  if (env_.observer != nullptr)
    env_.observer->phase_end(env_.dispatcher.links()[link], request, phase, outcome, spent);
}

void ProcessStream::link_violation(std::size_t link, Rule rule, std::string_view field) {
  env_.links[link].misused_answers.add();
  report(env_.dispatcher.links()[link], rule, field);
}

// Ends the stream when nothing is left to say that a handler would change.
void ProcessStream::after_answer() {
  if (finished_ || !ends_early()) return;
  env_.counters.early_ends.add();
  finish(GrpcStatus::ok);
}

bool ProcessStream::ends_early() const {
  const BodyModes& modes = writer_.modes();
  if (!env_.early_end || context_.observability_mode() || !modes.config()) return false;
  if (modes.full_duplex(Phase::request_body) || modes.full_duplex(Phase::response_body))
    return false;
  if (!held_.empty() || running()) return false;
  PhaseSet handled = env_.dispatcher.phases();
  if (!env_.chain_header.empty()) handled.insert(Phase::response_headers);
  return !progress_.may_come(handled, *modes.config(), modes.overridden());
}

bool ProcessStream::running() const {
  if (pending_) return true;
  for (const auto& session : sessions_) {
    if (session != nullptr && session->running()) return true;
  }
  return false;
}

void ProcessStream::update_pause() {
  bool wanted = pending_;
  for (const auto& session : sessions_) {
    if (session != nullptr && session->unread_bytes() >= env_.unread_body_bytes &&
        !writer_.flow_controlled())
      wanted = true;
  }
  if (wanted == paused_) return;
  paused_ = wanted;
  wanted ? sink_.pause() : sink_.resume();
}

void ProcessStream::bound_memory() {
  std::size_t bytes = writer_.held_bytes();
  for (const auto& session : sessions_) {
    if (session != nullptr) bytes += session->unread_bytes();
  }
  if (bytes > env_.flow_controlled_bytes)
    finish(GrpcStatus::resource_exhausted, "the client sends more of a body than it lets go");
}

void ProcessStream::deliver_held() {
  // One that has to wait again is put back.
  for (std::size_t left = held_.size(); left > 0 && !pending_ && !finished_ && !closed_; --left) {
    const std::string message = std::move(held_.front());
    held_.erase(held_.begin());
    receive(message, false);
  }
}

void ProcessStream::on_writable() {
  for (const auto& session : sessions_) {
    if (session != nullptr) session->on_writable();
  }
}

void ProcessStream::on_half_close() {
  half_closed_ = true;
  for (const auto& session : sessions_) {
    if (session != nullptr) session->on_input_end();
  }
  if (!running() && !finished_) finish(GrpcStatus::ok);
}

void ProcessStream::finish(GrpcStatus status, std::string_view message) {
  if (finished_) return;
  finished_ = true;
  if (streamed_reply_) streamed_reply_->close();
  status_ = status;
  sink_.finish(status, message);
}

bool ProcessStream::on_closed(GrpcStatus status, bool cancelled) {
  closed_ = true;
  cancelled_ = cancelled;
  if (streamed_reply_) streamed_reply_->close();
  if (!finished_) status_ = status;
  if (running()) {
    // A handler may return at once when it is told.
    closing_ = true;
    ContextAccess::request_cancel(context_);
    for (const auto& session : sessions_) {
      if (session != nullptr && session->running()) session->cancel();
    }
    closing_ = false;
    if (running()) return false;
  }
  release();
  return true;
}

void ProcessStream::release() {
  sessions_[0].reset();
  sessions_[1].reset();
  env_.counters.streams_open.subtract();
  if (status_ != GrpcStatus::ok && !cancelled_) env_.counters.streams_failed.add();
  if (env_.observer != nullptr) {
    env_.observer->stream_end(env_.dispatcher.name(), request_, status_, cancelled_,
                              env_.now() - stream_start_);
  }
  request_.reset();
}

}  // namespace extproc::stream
