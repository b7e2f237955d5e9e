// ProcessorExchange: what a message says, whether it waits, and which handler it is for.
#include <exception>
#include <memory>
#include <utility>

#include "base/access.h"
#include "exchange/chain_header.h"
#include "exchange/keep_context.h"
#include "exchange/processor_exchange.h"

namespace extproc::exchange {

void ProcessorExchange::on(const host::Message& message) {
  reporter().message(message, request_, context_, watched_);
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

// What a message says about its request, whichever phase it is of.
void ProcessorExchange::note(const host::Message& message) {
  if (first_message_) {
    first_message_ = false;
    directions().configure(message.protocol_config);
    if (env_.link == nullptr)
      detail::Access::messages(context_).protocol_config = message.protocol_config;
  }
  if (!message.phase) return;
  if (env_.link == nullptr) {
    note_phase(message);
  } else {
    // The chain has looked at the order.
    directions().of(*message.phase).seen(*message.phase, message.is_last());
  }
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
      detail::Access::reset(scratch().body_response);
      detail::Access::begin_phase(request_, phase_, nullptr);
      break;
    case Phase::request_trailers:
    case Phase::response_trailers:
      // There is no body.
      if (waiting_ != nullptr) release_headers(phase_);
      scratch().trailers = HttpTrailers(message.headers);
      detail::Access::reset(scratch().trailers_response);
      detail::Access::begin_phase(request_, phase_, nullptr);
      break;
  }
  call_handler();
}

void ProcessorExchange::begin_headers(const host::Message& message) {
  scratch().headers = HttpHeaders(message.headers, message.end_of_stream);
  detail::Access::reset(scratch().headers_response);
  detail::Access::begin_phase(request_, phase_, &scratch().headers);
  directions().of(phase_).headers_seen(request_.content_length().has_value());
  if (phase_ == Phase::request_headers) {
    if (!observes()) {
      may_stream_ = true;
      StreamedReply& reply =
          scratch().streamed_reply.emplace(*this, checker_, scratch().headers_response);
      detail::Access::stream_to(scratch().headers_response, &reply);
    }
  } else if (!env_.settings.chain_header.empty()) {
    add_to_chain(env_, scratch());
  }
}

// It was under way when its direction was replaced.
bool ProcessorExchange::is_dropped(const host::Message& message) {
  const Phase phase = *message.phase;
  if (!directions().of(phase).replaced()) return false;
  if (is_body(phase)) sink().consumed(phase, message.body.size());
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
  Held held{std::move(kept), noted};
  waiting_->held_bytes += held.bytes();
  waiting_->held.push(std::move(held));
}

void ProcessorExchange::take_streamed(const host::Message& message) {
  const Phase phase = *message.phase;
  auto& run = body(phase);
  if (run == nullptr) {
    detail::Access::begin_phase(request_, phase, nullptr);
    reporter().phase_begin(request_, context_, watched_, phase);
    make_run(phase);
  }
  // In the other modes with its answer.
  if (directions().of(phase).full_duplex()) directions().of(phase).body_came(message.body.size());
  run->deadline.message_came(sent());
  run->session.on_chunk(HttpBody(message.body, message.end_of_stream, message.body_flags));
  note_held_body(phase);
  update_alarm();
  update_pause();
  after_answer();
}

void ProcessorExchange::make_run(Phase phase) {
  Direction& its = directions().of(phase);
  const bool held = its.held != nullptr;
  its.run.reset(new BodyRun{{*this, env_.dispatcher, phase, its.comes_in()},
                            {env_.settings.filter, !its.full_duplex() && !held}});
  if (held) its.run->session.hold_headers();
}

void ProcessorExchange::call_handler() {
  busy_ = true;
  if (!env_.dispatcher.phases().contains(phase_)) {
    may_stream_ = false;
    send_answer(phase_, scratch());
    busy_ = false;
    after_answer();
    return;
  }
  reporter().phase_begin(request_, context_, watched_, phase_);
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
  const auto start = now();
  if (waiting_ != nullptr) {
    waiting_->start = start;
    waiting_->since = waiting_->sent.value_or(start);
    waiting_->fallback.reset();
  }
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
    conclude(failure, start);
    busy_ = false;
    after_answer();
  }
}

void ProcessorExchange::deliver_held() {
  // One that has to wait again is put back.
  auto& all = waiting_->held;
  for (std::size_t left = all.size(); left > 0 && !finished_ && !closed_; --left) {
    if (pending_ && late_ != Late::gave_up) return;
    const Held held = all.pop();
    waiting_->held_bytes -= held.bytes();
    receive(held.message->message(), held.noted);
  }
}

}  // namespace extproc::exchange
