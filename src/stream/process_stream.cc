#include "stream/process_stream.h"

#include <string>
#include <utility>

#include "stream/chain_header.h"
#include "wire/response_writer.h"

namespace extproc::stream {
namespace {

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

}  // namespace

void ProcessStream::begin(const detail::CallInfo& info) {
  request_.reset();
  ContextAccess::begin(context_, &info, env_.loop, env_.dispatcher.suspends());
  body_modes_ = BodyModes{};
  status_ = GrpcStatus::ok;
  first_message_ = true;
  pending_ = half_closed_ = finished_ = closed_ = cancelled_ = false;
  env_.counters.streams_started.add();
  env_.counters.streams_open.add();
  if (env_.observer != nullptr) {
    stream_start_ = env_.now();
    env_.observer->stream_begin(env_.dispatcher.name(), request_);
  }
}

void ProcessStream::on_message(std::string_view bytes) {
  env_.counters.messages.add();
  scratch_ = &env_.scratch;
  if (env_.dispatcher.suspends()) {
    own_scratch_ = env_.take_scratch();
    scratch_ = own_scratch_.get();
    scratch_->message.assign(bytes);
    bytes = scratch_->message;
  }

  wire::RequestMessage message;
  if (wire::read_request(bytes, message, scratch_->entries)) {
    take_message(message);
  } else {
    env_.counters.malformed_messages.add();
    env_.logger.log(LogLevel::warning,
                    text({env_.dispatcher.name(), ": a message from ", context_.peer(),
                          " is not a ProcessingRequest: its stream is ended"}));
    finish(GrpcStatus::internal, "the message is not a ProcessingRequest");
  }
  if (!pending_) env_.give_back(std::move(own_scratch_));
}

void ProcessStream::take_message(const wire::RequestMessage& message) {
  if (first_message_) {
    first_message_ = false;
    body_modes_.configure(message.protocol_config);
  }
  ContextAccess::set_observability_mode(context_, message.observability_mode);
  // A message about the stream itself asks for no answer.
  if (!message.phase) return;

  phase_ = *message.phase;
  switch (phase_) {
    case Phase::request_headers:
    case Phase::response_headers:
      scratch_->headers = HttpHeaders(scratch_->entries, message.end_of_stream);
      scratch_->headers_response.reset();
      body_modes_.headers_seen(phase_);
      request_.begin_phase(phase_, &scratch_->headers);
      if (phase_ == Phase::response_headers && !env_.chain_header.empty()) {
        add_to_chain(env_.chain_header, env_.dispatcher.name(), scratch_->headers,
                     scratch_->headers_response, scratch_->text);
      }
      break;
    case Phase::request_body:
    case Phase::response_body:
      scratch_->body = HttpBody(message.body, message.end_of_stream);
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

void ProcessStream::call_handler() {
  if (!env_.dispatcher.phases().contains(phase_)) {
    send_answer();
    return;
  }
  if (env_.logger.enabled(LogLevel::debug)) {
    env_.logger.log(LogLevel::debug, text({env_.dispatcher.name(), ": ", to_string(phase_),
                                           " begins for request ", request_.id()}));
  }
  if (env_.observer != nullptr)
    env_.observer->phase_begin(env_.dispatcher.name(), request_, phase_);

  detail::Invocation invocation{.phase = phase_,
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
    sink_.pause();
  } else {
    conclude(failure);
  }
}

void ProcessStream::complete(std::exception_ptr failure) noexcept {
  pending_ = false;
  conclude(failure);
  env_.give_back(std::move(own_scratch_));
  if (closed_) {
    release();
    sink_.released();
    return;
  }
  if (half_closed_) finish(GrpcStatus::ok);
  sink_.resume();
}

void ProcessStream::conclude(const std::exception_ptr& failure) {
  const std::chrono::nanoseconds spent = env_.now() - phase_start_;
  request_.end_phase(spent);
  if (spent > env_.slow_handler && !env_.dispatcher.suspends() && env_.dispatcher.advise_once()) {
    env_.logger.log(LogLevel::warning, text({env_.dispatcher.name(), ": ", to_string(phase_),
                                             " took ", microseconds(spent), kSlowHandlerAdvice}));
  }

  const PhaseOutcome outcome = closed_ ? PhaseOutcome::cancelled : answer(failure);
  if (env_.observer != nullptr)
    env_.observer->phase_end(env_.dispatcher.name(), request_, phase_, outcome, spent);
  if (env_.logger.enabled(LogLevel::debug)) {
    env_.logger.log(LogLevel::debug, text({env_.dispatcher.name(), ": ", to_string(phase_),
                                           " ended for request ", request_.id(), ": ",
                                           to_string(outcome), " after ", microseconds(spent)}));
  }
}

PhaseOutcome ProcessStream::answer(const std::exception_ptr& failure) {
  if (failure != nullptr) {
    try {
      std::rethrow_exception(failure);
    } catch (const StopRequestProcessing& stop) {
      return send_immediate(stop.response());
    } catch (const std::exception& exception) {
      return fail(exception.what());
    } catch (...) {
      return fail("something that is not a std::exception");
    }
  }
  if (const auto& abort = ContextAccess::aborted(context_)) {
    finish(abort->status, abort->message);
    return PhaseOutcome::aborted;
  }
  if (const auto& immediate = response().immediate_response()) return send_immediate(*immediate);
  send_answer();
  return PhaseOutcome::answered;
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
  std::string& out = sink_.begin_message();
  switch (phase_) {
    case Phase::request_headers:
    case Phase::response_headers:
      wire::write_headers_response(out, phase_, scratch_->headers_response);
      break;
    case Phase::request_body:
    case Phase::response_body: {
      BodyResponse& response = scratch_->body_response;
      if (body_modes_.full_duplex(phase_)) {
        const bool keep = response.body_change() == BodyChange::none;
        wire::write_streamed_body_response(out, phase_, response,
                                           keep ? scratch_->body.body() : response.body(),
                                           scratch_->body.end_of_stream());
      } else {
        body_modes_.correct_content_length(phase_, scratch_->body, response);
        wire::write_body_response(out, phase_, response);
      }
      break;
    }
    case Phase::request_trailers:
    case Phase::response_trailers:
      wire::write_trailers_response(out, phase_, scratch_->trailers_response);
      break;
  }
  sink_.end_message();
}

PhaseOutcome ProcessStream::send_immediate(ImmediateResponse response) {
  if (context_.observability_mode()) return PhaseOutcome::answered;
  if (!env_.chain_header.empty()) set_chain(env_.chain_header, env_.dispatcher.name(), response);
  env_.counters.immediate_responses.add();
  wire::write_immediate_response(sink_.begin_message(), response);
  sink_.end_message();
  // Envoy sends nothing more on this stream.
  finish(GrpcStatus::ok);
  return PhaseOutcome::immediate;
}

PhaseOutcome ProcessStream::fail(std::string_view what) {
  env_.counters.handler_failures.add();
  env_.logger.log(LogLevel::error, text({env_.dispatcher.name(), ": ", to_string(phase_),
                                         " failed for request ", request_.id(), ": ", what}));
  finish(GrpcStatus::unknown, text({"the handler of ", to_string(phase_), " failed"}));
  return PhaseOutcome::failed;
}

void ProcessStream::on_half_close() {
  half_closed_ = true;
  if (!pending_ && !finished_) finish(GrpcStatus::ok);
}

void ProcessStream::finish(GrpcStatus status, std::string_view message) {
  if (finished_) return;
  finished_ = true;
  status_ = status;
  sink_.finish(status, message);
}

bool ProcessStream::on_closed(GrpcStatus status, bool cancelled) {
  closed_ = true;
  cancelled_ = cancelled;
  if (!finished_) status_ = status;
  if (pending_) {
    ContextAccess::request_cancel(context_);
    // A handler may return at once when it is told; complete() has then released the stream.
    return false;
  }
  release();
  return true;
}

void ProcessStream::release() {
  env_.counters.streams_open.subtract();
  if (status_ != GrpcStatus::ok && !cancelled_) env_.counters.streams_failed.add();
  if (env_.observer != nullptr) {
    env_.observer->stream_end(env_.dispatcher.name(), request_, status_, cancelled_,
                              env_.now() - stream_start_);
  }
}

}  // namespace extproc::stream
