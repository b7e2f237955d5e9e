// The receiving half of ServerCall: bytes to messages, and the credit for them.

#include <algorithm>
#include <string>
#include <utility>

#include "grpc/server_call.h"

namespace extproc::grpc {

void ServerCall::on_data(std::string_view chunk) noexcept {
  if (ended_) return;
  const std::size_t bytes = chunk.size();
  while (!chunk.empty() && !ended_) {
    if (inbox_.empty() && !held()) {
      chunk = deliver_in_place(chunk);
      if (chunk.empty() || ended_) break;
    }
    chunk = store(chunk);
    if (!ended_) deliver_waiting();
  }
  if (ended_) {
    drop_input();
  } else if (inbox_.has_message()) {
    withheld_ += static_cast<std::uint32_t>(bytes);
    wait_for_turn();
  } else {
    give_credit(bytes);
  }
}

std::string_view ServerCall::deliver_in_place(std::string_view chunk) {
  while (chunk.size() >= FramePrefix::kBytes) {
    const FramePrefix prefix = FramePrefix::read(chunk.data());
    if (!accept(prefix)) break;
    if (chunk.size() - FramePrefix::kBytes < prefix.message_bytes) break;
    const std::string_view message = chunk.substr(FramePrefix::kBytes, prefix.message_bytes);
    chunk.remove_prefix(FramePrefix::kBytes + message.size());
    deliver_message(message);
    if (ended_ || held()) break;
  }
  return chunk;
}

std::string_view ServerCall::store(std::string_view chunk) {
  const bool was_partial = inbox_.has_partial();
  const Inbox::Appended appended = inbox_.append(chunk, host_.buffers);
  count_buffered();
  if (inbox_.has_partial() != was_partial) {
    const auto time = host_.limits.incomplete_message_timeout;
    const bool timed = !was_partial && time.count() > 0;
    time_message(timed ? std::optional(host_.now + time) : std::nullopt);
  }
  if (appended.prefix && !accept(*appended.prefix)) return {};
  if (host_.over_limit()) {
    refuse(GrpcStatus::resource_exhausted, host_.why_over_limit("messages wait"));
    return {};
  }
  chunk.remove_prefix(appended.bytes);
  return chunk;
}

bool ServerCall::accept(const FramePrefix& prefix) {
  if (prefix.compressed > 1) {
    refuse(GrpcStatus::internal, "a message's compressed flag is neither 0 nor 1");
    return false;
  }
  if (prefix.compressed == 1) {
    refuse(GrpcStatus::internal, "a message is compressed, but grpc-encoding names no compression");
    return false;
  }
  if (prefix.message_bytes > host_.limits.message_bytes) {
    refuse(GrpcStatus::resource_exhausted,
           "a message of " + std::to_string(prefix.message_bytes) + " bytes is over the limit of " +
               std::to_string(host_.limits.message_bytes) + " (Limits::message_bytes)");
    return false;
  }
  return true;
}

void ServerCall::deliver_message(std::string_view message) {
  answer_owed_ = true;
  if (handler_ == nullptr) return;
  delivering_ = true;
  handler_->on_message(message);
  delivering_ = false;
  ++host_.turn_spent;
  if (keeps_too_much_ && !ended_)
    refuse(GrpcStatus::resource_exhausted, host_.why_over_limit("its handlers wait"));
}

void ServerCall::deliver_waiting() {
  while (!ended_ && !held() && inbox_.has_message()) {
    deliver_message(inbox_.front());
    if (ended_) break;
    const std::size_t popped = inbox_.pop(host_.buffers);
    count_buffered();
    // The one behind it may have been held up by those before it.
    if (inbox_.partial_end() && !inbox_.has_message()) prolong_message();
    const std::size_t credit =
        inbox_.has_message() ? std::min<std::size_t>(popped, withheld_) : withheld_;
    withheld_ -= static_cast<std::uint32_t>(credit);
    give_credit(credit);
  }
  if (ended_) drop_input();
  wait_for_turn();
}

// Where nothing else holds its messages up.
void ServerCall::wait_for_turn() {
  if (!host_.turn_over() || ended_ || paused_ || full()) return;
  if (inbox_.has_message() || (half_closed_ && !half_close_told_)) host_.deliver_next_turn(*this);
}

void ServerCall::time_message(std::optional<Clock::time_point> end) {
  inbox_.end_partial_by(end);
  const auto first = std::min(deadline_, end.value_or(kNever));
  first == kNever ? DeadlineWheel::remove(*this) : host_.deadlines.add(*this, first);
}

void ServerCall::prolong_message() {
  const auto time = host_.limits.incomplete_message_timeout;
  time_message(time.count() > 0 ? std::optional(*inbox_.partial_end() + time) : std::nullopt);
}

void ServerCall::deliver() {
  // Within on_message, whoever delivers goes on when it returns.
  if (delivering_ || ended_) return;
  if (std::exchange(writable_owed_, false) && handler_ != nullptr) handler_->on_writable();
  if (ended_) return;
  deliver_waiting();
  deliver_half_close();
}

void ServerCall::on_end_stream() noexcept {
  half_closed_ = true;
  if (ended_) return;
  if (inbox_.has_partial()) {
    refuse(GrpcStatus::internal, "the stream was half-closed within a message");
  } else {
    deliver_half_close();
  }
}

void ServerCall::deliver_half_close() {
  if (!half_closed_ || half_close_told_ || ended_ || inbox_.has_message()) return;
  if (held()) return wait_for_turn();
  half_close_told_ = true;
  if (handler_ != nullptr) handler_->on_half_close();
}

void ServerCall::give_credit(std::size_t bytes) {
  if (half_closed_) return;
  host_.session().give_credit(*this, bytes);
  host_.output_ready();
}

void ServerCall::drop_input() {
  if (inbox_.empty()) return;
  inbox_.clear(host_.buffers);
  count_buffered();
}

}  // namespace extproc::grpc
