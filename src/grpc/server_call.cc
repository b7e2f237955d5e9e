#include "grpc/server_call.h"

#include <utility>

#include "base/recycle.h"
#include "grpc/metadata_block.h"
#include "grpc/percent_encoding.h"
#include "grpc/response_headers.h"

namespace extproc::grpc {

void ServerCall::start(Metadata metadata, std::optional<Clock::time_point> deadline,
                       std::string_view path, std::span<GrpcService* const> services) {
  metadata_ = std::move(metadata);
  host_.count(static_cast<std::ptrdiff_t>(metadata_.begin_use()));
  deadline_ = deadline.value_or(kNever);
  answer_owed_ = true;
  if (host_.over_limit()) {
    const std::string why = host_.why_over_limit("the headers of its calls");
    host_.count(-static_cast<std::ptrdiff_t>(metadata_.end_use()));
    metadata_ = {};
    return refuse(GrpcStatus::resource_exhausted, why);
  }
  if (deadline) host_.deadlines.add(*this, *deadline);
  for (GrpcService* service : services) {
    handler_ = service->start(path, *this);
    if (handler_ != nullptr || ended_) return;
  }
  constexpr std::size_t kMostPathTold = 256;
  finish(GrpcStatus::unimplemented, "unknown method " + std::string(path.substr(0, kMostPathTold)));
}

std::string& ServerCall::begin_message() {
  if (ended_) return host_.discarded;
  return outbox_.begin_message(host_.buffers);
}

void ServerCall::end_message() {
  if (ended_) return release(host_.discarded);
  outbox_.end_message(host_.buffers);
  send_message();
}

void ServerCall::end_message_with(std::string tail) {
  if (ended_) return release(host_.discarded);
  outbox_.end_message_with(std::move(tail), host_.buffers);
  send_message();
}

void ServerCall::send_message() {
  count_buffered();
  answer_owed_ = false;
  if (host_.over_limit()) {
    // The handler is the caller, so that it cannot be told before the stream closes.
    over_limit_ = true;
    const std::string why = host_.why_over_limit("answers are not read");
    drop_output();
    end(GrpcStatus::resource_exhausted, why);
    return;
  }
  if (!responded_) {
    responded_ = true;
    host_.session().send_headers(*this, message_headers());
  }
  host_.session().send_body(*this);
  host_.output_ready();
}

void ServerCall::finish(GrpcStatus status, std::string_view message) {
  if (!ended_) end(status, message);
}

void ServerCall::resume() {
  paused_ = false;
  host_.begin_turn();
  deliver();
}

void ServerCall::terminate(CloseReason reason, GrpcStatus status, std::string_view message) {
  drop_output();
  if (ended_) {
    // Its own status waited for a slow reader behind what is dropped now.
    send_status();
  } else {
    end(status, message);
  }
  tell_closed(reason);
}

void ServerCall::refuse(GrpcStatus status, std::string_view message) {
  const bool limit = status == GrpcStatus::resource_exhausted;
  terminate(limit ? CloseReason::over_limit : CloseReason::malformed, status, message);
}

void ServerCall::on_deadline() noexcept {
  const bool of_call = added_for() == deadline_;
  if (!of_call && inbox_.has_message()) {
    // The peer does not hold it up.
    return prolong_message();
  }
  // A message that is cut would be an error of its own to the peer, in place of the status.
  outbox_.drop_unbegun(host_.buffers);
  count_buffered();
  end(GrpcStatus::deadline_exceeded,
      of_call ? "the deadline of grpc-timeout has passed" : "a message was not complete in time");
  tell_closed(CloseReason::deadline_exceeded);
}

void ServerCall::end(GrpcStatus status, std::string_view message) {
  ended_ = true;
  status_ = status;
  if (!message.empty()) status_message_ = std::make_unique<std::string>(percent_encode(message));
  DeadlineWheel::remove(*this);
  // While a message is being delivered, it may be the inbox's own.
  if (!delivering_) drop_input();
  if (outbox_.pending() == 0) send_status();
  host_.output_ready();
}

void ServerCall::send_status() {
  const std::string_view message = status_message_ ? *status_message_ : std::string_view();
  using Form = StatusHeaders::Form;
  const Form form = std::exchange(responded_, true) ? Form::trailers : Form::trailers_only;
  host_.session().send_trailers(*this, StatusHeaders(form, status_, message).get());
}

http2::Stream::Waiting ServerCall::prepare_output(std::size_t max) noexcept {
  const std::size_t pending = outbox_.pending();
  if (pending > max) return {max, false};
  if (ended_) send_status();
  return {pending, true};
}

void ServerCall::write_output(http2::Output& out, std::size_t bytes) noexcept {
  const bool was_full = full();
  outbox_.move_to(out, bytes, host_.buffers);
  count_buffered();
  if (!was_full || full() || ended_) return;
  writable_owed_ = true;
  host_.deliver_later(*this);
}

void ServerCall::drop_output() {
  if (outbox_.pending() == 0) return;
  outbox_.clear(host_.buffers);
  count_buffered();
}

void ServerCall::tell_closed(CloseReason reason) {
  CallHandler* handler = std::exchange(handler_, nullptr);
  if (handler != nullptr) handler->on_closed(over_limit_ ? CloseReason::over_limit : reason);
}

void ServerCall::lose() {
  DeadlineWheel::remove(*this);
  ended_ = true;
  tell_closed(end_sent_ ? CloseReason::finished : CloseReason::connection_lost);
}

void ServerCall::on_stream_closed() noexcept {
  if (!ended_ && (answer_owed_ || inbox_.has_message())) host_.count_owed_reset();
  ended_ = true;
  DeadlineWheel::remove(*this);
  tell_closed(end_sent_ ? CloseReason::finished : CloseReason::reset);
  drop_input();
  drop_output();
  host_.count(-static_cast<std::ptrdiff_t>(metadata_.end_use()));
  host_.recycle(*this);
}

}  // namespace extproc::grpc
