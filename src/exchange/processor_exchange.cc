#include "exchange/processor_exchange.h"

#include <string>
#include <utility>

#include "exchange/chain_header.h"
#include "exchange/keep_context.h"

namespace extproc::exchange {

void ProcessorExchange::begin(const detail::CallInfo& info) {
  ContextAccess::begin(context_, &info, env_.loop, env_.dispatcher.suspends());
  start();
}

void ProcessorExchange::begin_link(const Context& context, const BodyModes& frame) {
  ContextAccess::begin_beside(context_, context, env_.dispatcher.suspends());
  start();
  checker_.modes().come_as(frame);
}

void ProcessorExchange::start() {
  checker_.begin();
  progress_ = PhaseProgress{};
  streamed_reply_ = nullptr;
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

void ProcessorExchange::on(const host::Message& message) {
  reporter().message();
  receive(message, false);
  tell_kept();
}

void ProcessorExchange::receive(const host::Message& arrived, bool noted) {
  if (late_ != Late::none) return receive_past_late(arrived, noted);
  const host::Message* message = &arrived;
  // A body's session keeps what it needs itself.
  if (env_.dispatcher.suspends() && message->phase &&
      !env_.dispatcher.streamed().contains(*message->phase)) {
    waiting_->scratch = env_.take_scratch();
    message = &scratch().message.keep(arrived, false);
  }
  if (!noted) {
    if (env_.link == nullptr) keep_context(context_, arrived);
    note(arrived);
  }
  if (message->phase && !finished_) take_message(*message);
  if (windows_) bound_memory();
  if (!pending_ && waiting_ != nullptr) env_.give_back(std::move(waiting_->scratch));
}

void ProcessorExchange::on_malformed() {
  reporter().message();
  reporter().malformed_message(context_);
  finish(GrpcStatus::internal, "the message is not a ProcessingRequest");
}

// What a message says about its request, whichever phase it is of.
void ProcessorExchange::note(const host::Message& message) {
  if (first_message_) {
    first_message_ = false;
    checker_.configure(message.protocol_config);
    if (env_.link == nullptr)
      ContextAccess::messages(context_).protocol_config = message.protocol_config;
  }
  if (message.phase) progress_.seen(*message.phase, message.end_of_stream);
}

void ProcessorExchange::take_message(const host::Message& message) {
  const Phase phase = *message.phase;
  if (is_dropped(message) || hold_back(message)) return;
  if (env_.dispatcher.streamed().contains(phase)) return take_streamed(message);

  phase_ = phase;
  switch (phase_) {
    case Phase::request_headers:
    case Phase::response_headers:
      begin_headers(message);
      break;
    case Phase::request_body:
    case Phase::response_body:
      scratch().body = HttpBody(message.body, message.end_of_stream, message.body_flags);
      scratch().body_response.reset();
      request_.begin_phase(phase_, nullptr);
      break;
    case Phase::request_trailers:
    case Phase::response_trailers:
      scratch().trailers = HttpTrailers(message.headers);
      scratch().trailers_response.reset();
      request_.begin_phase(phase_, nullptr);
      break;
  }
  call_handler();
}

void ProcessorExchange::begin_headers(const host::Message& message) {
  scratch().headers = HttpHeaders(message.headers, message.end_of_stream);
  scratch().headers_response.reset();
  request_.begin_phase(phase_, &scratch().headers);
  checker_.modes().headers_seen(phase_, request_.content_length().has_value());
  if (phase_ == Phase::request_headers) {
    if (!context_.observability_mode()) {
      streamed_reply_ = &scratch().streamed_reply.emplace(
          checker_, scratch().headers_response, env_.settings.chain_header, env_.dispatcher.name());
      scratch().headers_response.streamed().reset(streamed_reply_);
    }
  } else if (!env_.settings.chain_header.empty()) {
    add_to_chain(env_.settings.chain_header, env_.dispatcher.name(), scratch().headers,
                 scratch().headers_response, scratch().text);
  }
}

// It was under way when its direction was replaced.
bool ProcessorExchange::is_dropped(const host::Message& message) {
  const Phase phase = *message.phase;
  if (!progress_.is_replaced(phase)) return false;
  if (is_body(phase)) checker_.sink().consumed(phase, message.body.size());
  return true;
}

// While the handler over a body runs, its direction's trailers wait for its return, and then in
// order behind each other.
bool ProcessorExchange::hold_back(const host::Message& message) {
  if (waiting_ == nullptr) return false;
  const auto& run = body(*message.phase);
  const bool body_runs = run != nullptr && run->holds_others_up() && is_trailers(*message.phase);
  if (!body_runs && (!pending_ || late_ == Late::gave_up)) return false;
  hold(message, true);
  if (body_runs) {
    run->deadline.message_came(sent());
    run->session.on_input_end();
    update_alarm();
  }
  return true;
}

void ProcessorExchange::hold(const host::Message& message, bool noted) {
  auto kept = std::make_unique<KeptMessage>();
  kept->keep(message, !noted);
  waiting_->held.push_back({std::move(kept), noted});
}

void ProcessorExchange::take_streamed(const host::Message& message) {
  const Phase phase = *message.phase;
  auto& run = body(phase);
  if (run == nullptr) {
    request_.begin_phase(phase, nullptr);
    reporter().phase_begin(request_, phase);
    SessionHost& host = *this;
    run.reset(new BodyRun{{host, env_.dispatcher, phase, checker_.modes().comes_in(phase)},
                          {env_.settings.filter, !checker_.modes().full_duplex(phase)}});
  }
  run->deadline.message_came(sent());
  run->session.on_chunk(HttpBody(message.body, message.end_of_stream, message.body_flags));
  update_alarm();
  update_pause();
  after_answer();
}

void ProcessorExchange::call_handler() {
  busy_ = true;
  if (!env_.dispatcher.phases().contains(phase_)) {
    streamed_reply_ = nullptr;
    send_answer();
    busy_ = false;
    after_answer();
    return;
  }
  reporter().phase_begin(request_, phase_);
  detail::Invocation invocation{.phase = phase_,
                                .headers = &scratch().headers,
                                .body = &scratch().body,
                                .trailers = &scratch().trailers,
                                .context = &context_,
                                .request = &request_,
                                .headers_response = &scratch().headers_response,
                                .body_response = &scratch().body_response,
                                .trailers_response = &scratch().trailers_response,
                                .completion = this};
  phase_start_ = env_.settings.now();
  if (waiting_ != nullptr) waiting_->since = waiting_->sent.value_or(phase_start_);
  if (waiting_ != nullptr) waiting_->fallback.reset();
  std::exception_ptr failure;
  try {
    pending_ = env_.dispatcher.call(invocation) == detail::Step::pending;
  } catch (...) {
    failure = std::current_exception();
  }
  if (pending_) {
    busy_ = false;
    wait_for_handler();
  } else {
    conclude(failure);
    busy_ = false;
    after_answer();
  }
}

// A suspended handler has returned: what waited for it goes on.
void ProcessorExchange::after_handler() {
  if (closed_) {
    if (closing_ || running()) return;
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

void ProcessorExchange::conclude(const std::exception_ptr& failure) {
  const std::chrono::nanoseconds spent = env_.settings.now() - phase_start_;
  reporter().time_on_thread(phase_, spent);
  PhaseOutcome outcome = PhaseOutcome::cancelled;
  if (late_ != Late::none) {
    outcome = PhaseOutcome::late;
  } else if (!closed_ && !finished_) {
    outcome = answer(failure);
  }
  streamed_reply_ = nullptr;
  request_.end_phase(spent);
  reporter().phase_end(request_, phase_, outcome, spent);
}

PhaseOutcome ProcessorExchange::answer(const std::exception_ptr& failure) {
  if (!answered(failure)) return answer_otherwise(failure);
  send_answer();
  return PhaseOutcome::answered;
}

// Whether there is nothing but an answer to the phase, as most handlers leave it.
bool ProcessorExchange::answered(const std::exception_ptr& failure) {
  if (failure != nullptr || ContextAccess::aborted(context_) != nullptr) return false;
  if (!is_headers(phase_)) return !response().immediate_response();
  HeadersResponse& headers = scratch().headers_response;
  return !headers.immediate_response() && !headers.streamed().started();
}

PhaseOutcome ProcessorExchange::answer_otherwise(const std::exception_ptr& failure) {
  const Ending ending = ending_of(failure, context_, response());
  if (!ending.thrown && is_headers(phase_) && ending.outcome != PhaseOutcome::aborted &&
      scratch().headers_response.streamed().started()) {
    if (streamed_reply_ && phase_ == Phase::request_headers) return send_streamed();
    if (!context_.observability_mode()) reporter().violation(phase_, Rule::streamed_response, {});
  }
  if (ending.thrown && ending.immediate && streamed_reply_ && streamed_reply_->begun())
    return fail(phase_, "it stopped processing after it had begun to write the response");
  if (ending.outcome == PhaseOutcome::answered) send_answer();
  return take_ending(phase_, ending);
}

// What a handler's run comes to, of messages and of whole bodies; who called it sends what it
// answered.
PhaseOutcome ProcessorExchange::take_ending(Phase phase, const Ending& ending) {
  switch (ending.outcome) {
    case PhaseOutcome::immediate:
      return send_immediate(phase, *ending.immediate, ending.extras);
    case PhaseOutcome::aborted:
      finish(ending.abort->status, ending.abort->message);
      break;
    case PhaseOutcome::failed:
      return fail(phase, ending.what);
    default:
      break;
  }
  return ending.outcome;
}

PhaseResponse& ProcessorExchange::response() {
  switch (phase_) {
    case Phase::request_headers:
    case Phase::response_headers:
      return scratch().headers_response;
    case Phase::request_body:
    case Phase::response_body:
      return scratch().body_response;
    default:
      return scratch().trailers_response;
  }
}

void ProcessorExchange::send_answer() {
  if (context_.observability_mode()) return;
  switch (phase_) {
    case Phase::request_headers:
    case Phase::response_headers:
      if (scratch().headers_response.replacement()) progress_.replaced(phase_);
      checker_.headers(phase_, scratch().headers, scratch().headers_response);
      break;
    case Phase::request_body:
    case Phase::response_body:
      checker_.body(phase_, scratch().body, scratch().body_response);
      checker_.sink().consumed(phase_, scratch().body.body().size());
      break;
    case Phase::request_trailers:
    case Phase::response_trailers:
      checker_.trailers(phase_, scratch().trailers, scratch().trailers_response);
      break;
  }
}

PhaseOutcome ProcessorExchange::send_streamed() {
  scratch().headers_response.streamed().finish();
  if (auto collected = streamed_reply_->take_collected())
    return send_immediate(phase_, std::move(*collected),
                          scratch().headers_response.extras_or_null());
  replied_ = true;
  reporter().immediate_response();
  finish(GrpcStatus::ok);
  return PhaseOutcome::immediate;
}

PhaseOutcome ProcessorExchange::send_immediate(Phase phase, ImmediateResponse response,
                                               const ResponseExtras* extras) {
  if (context_.observability_mode()) return PhaseOutcome::answered;
  if (!env_.settings.chain_header.empty())
    set_chain(env_.settings.chain_header, env_.dispatcher.name(), response);
  if (rules::headers_may_have_left(phase, checker_.modes().comes_in(Phase::response_body)))
    reporter().violation(phase, Rule::immediate_too_late, {});
  replied_ = true;
  reporter().immediate_response();
  checker_.immediate(phase, std::move(response), extras);
  // Envoy sends nothing more on this stream.
  finish(GrpcStatus::ok);
  return PhaseOutcome::immediate;
}

// As if the phase had no handler.
void ProcessorExchange::send_unchanged(Phase phase, const HttpHeaders& headers,
                                       const HttpTrailers& trailers, const HttpBody& body) {
  if (is_body(phase)) {
    BodyResponse unchanged;
    checker_.body(phase, body, unchanged);
    checker_.sink().consumed(phase, body.body().size());
  } else if (is_trailers(phase)) {
    TrailersResponse unchanged;
    checker_.trailers(phase, trailers, unchanged);
  } else {
    HeadersResponse unchanged;
    std::string buffer;
    if (phase == Phase::response_headers && !env_.settings.chain_header.empty())
      add_to_chain(env_.settings.chain_header, env_.dispatcher.name(), headers, unchanged, buffer);
    checker_.headers(phase, headers, unchanged);
  }
}

PhaseOutcome ProcessorExchange::fail(Phase phase, std::string_view what) {
  reporter().failure(request_, phase, what);
  finish(GrpcStatus::unknown, "the handler of " + std::string(to_string(phase)) + " failed");
  return PhaseOutcome::failed;
}

void ProcessorExchange::send_body_answer(Phase phase, const HttpBody& body,
                                         BodyResponse& response) {
  checker_.body(phase, body, response);
  this->body(phase)->deadline.answer_sent(env_.settings.now());
  update_alarm();
}

void ProcessorExchange::send_streamed_body(Phase phase, const HttpBody& body,
                                           BodyResponse& carries) {
  checker_.streamed_body(phase, body, carries);
}

void ProcessorExchange::on_consumed(BodySession& session, std::size_t bytes) {
  BodyDeadline& deadline = run_of(session).deadline;
  if (deadline.fallback()) deadline.chunk_taken(env_.settings.now());
  if (answers()) checker_.sink().consumed(session.phase(), bytes);
  if (!closed_) update_pause();
  tell_kept();
}

void ProcessorExchange::on_written_too_late(Phase phase) {
  reporter().violation(phase, Rule::body_written_too_late, {});
}

void ProcessorExchange::on_session_done(BodySession& session, const std::exception_ptr& failure) {
  const Phase phase = session.phase();
  PhaseOutcome outcome = PhaseOutcome::cancelled;
  if (session.abandoned()) {
    outcome = PhaseOutcome::late;
  } else if (!closed_ && !finished_) {
    const auto ending = ending_of(failure, session.context(), session.body_response());
    if (ending.outcome == PhaseOutcome::answered) session.settle();
    outcome = take_ending(phase, ending);
  }
  run_of(session).deadline.clear();
  update_alarm();
  const auto spent = env_.settings.now() - session.start();
  request_.end_phase(spent);
  reporter().phase_end(request_, phase, outcome, spent);
  after_handler();
}

// Ends the stream when nothing is left to say that a handler would change.
void ProcessorExchange::after_answer() {
  if (finished_ || !ends_early()) return;
  env_.counters.early_ends.add();
  finish(GrpcStatus::ok);
}

bool ProcessorExchange::ends_early() const {
  const BodyModes& modes = checker_.modes();
  if (!env_.settings.early_end || env_.link != nullptr || context_.observability_mode() ||
      !modes.config())
    return false;
  if (modes.full_duplex(Phase::request_body) || modes.full_duplex(Phase::response_body))
    return false;
  if (running() || (waiting_ != nullptr && !waiting_->held.empty())) return false;
  PhaseSet handled = env_.dispatcher.phases();
  if (!env_.settings.chain_header.empty()) handled.insert(Phase::response_headers);
  return !progress_.may_come(handled, *modes.config(), modes.overridden());
}

bool ProcessorExchange::body_running(Phase body) const {
  if (waiting_ == nullptr) return false;
  const auto& run = waiting_->bodies[is_request_phase(body) ? 0 : 1];
  return run != nullptr && run->session.running();
}

Clock::time_point ProcessorExchange::sent() const {
  return waiting_->sent.value_or(env_.settings.now());
}

std::size_t ProcessorExchange::unread_bytes() const {
  std::size_t bytes = 0;
  for (const auto& run : bodies()) {
    if (run != nullptr) bytes += run->session.unread_bytes();
  }
  return bytes;
}

bool ProcessorExchange::running() const {
  if (pending_) return true;
  for (const auto& run : bodies()) {
    if (run != nullptr && run->session.running()) return true;
  }
  return false;
}

void ProcessorExchange::update_pause() {
  if (waiting_ == nullptr) return;
  bool wanted =
      pending_ && (late_ == Late::none || (late_ == Late::fell_back && !waiting_->held.empty()));
  for (const auto& run : bodies()) {
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
  for (const auto& run : bodies()) {
    if (run != nullptr) bytes += run->session.kept_bytes();
  }
  if (bytes == kept_) return;
  control_.kept(static_cast<std::ptrdiff_t>(bytes) - static_cast<std::ptrdiff_t>(kept_));
  kept_ = bytes;
}

void ProcessorExchange::deliver_held() {
  // One that has to wait again is put back.
  auto& all = waiting_->held;
  for (std::size_t left = all.size(); left > 0 && !finished_ && !closed_; --left) {
    if (pending_ && late_ != Late::gave_up) return;
    const Held held = std::move(all.front());
    all.erase(all.begin());
    receive(held.message->message(), held.noted);
  }
}

void ProcessorExchange::on_writable() {
  for (const auto& run : bodies()) {
    if (run != nullptr) run->session.on_writable();
  }
}

void ProcessorExchange::on_body_end(Phase body) {
  if (body_running(body)) this->body(body)->session.on_input_end();
}

void ProcessorExchange::on_end() {
  half_closed_ = true;
  for (const auto& run : bodies()) {
    if (run != nullptr) run->session.on_input_end();
  }
  if (!running() && !finished_) finish(GrpcStatus::ok);
}

void ProcessorExchange::finish(GrpcStatus status, std::string_view message) {
  if (finished_) return;
  finished_ = true;
  if (streamed_reply_) streamed_reply_->close();
  status_ = status;
  control_.finish(status, message);
}

bool ProcessorExchange::on_closed(GrpcStatus status, bool cancelled) {
  closed_ = true;
  cancelled_ = cancelled;
  if (streamed_reply_) streamed_reply_->close();
  if (!finished_) status_ = status;
  if (running()) {
    // A handler may return at once when it is told.
    closing_ = true;
    ContextAccess::request_cancel(context_);
    for (const auto& run : bodies()) {
      if (run != nullptr && run->session.running()) run->session.cancel();
    }
    closing_ = false;
    if (running()) return false;
  }
  release();
  return true;
}

void ProcessorExchange::release() {
  if (waiting_ != nullptr) {
    for (auto& run : waiting_->bodies) run.reset();
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
  request_.reset();
}

}  // namespace extproc::exchange
