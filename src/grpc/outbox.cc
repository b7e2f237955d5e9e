#include "grpc/outbox.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "grpc/frame.h"

namespace extproc::grpc {
namespace {

/// A copy of less than a frame of DATA costs less than what it takes to share it.
constexpr std::size_t kLeastLarge = std::size_t{16} << 10;

}  // namespace

std::string& Outbox::begin_message(BufferPool& buffers) {
  set_aside_if_large(buffers);
  if (bytes_.empty()) {
    bytes_ = buffers.take();
  } else if (sent_ > bytes_.size() - sent_) {
    bytes_.erase(0, sent_);
    sent_ = 0;
  }
  message_ = static_cast<std::uint32_t>(bytes_.size());
  bytes_.append(FramePrefix::kBytes, '\0');
  return bytes_;
}

void Outbox::end_message(BufferPool& buffers) {
  write_prefix(0);
  if (message_ == 0) buffers.fit(bytes_);
}

void Outbox::end_message_with(std::string tail, BufferPool& buffers) {
  write_prefix(tail.size());
  buffers.fit(bytes_);
  set_aside_bytes(buffers);
  // It is freed when it was written, not kept by the pool: so the next body gets memory that is in
  // the cache.
  set_aside(std::make_shared<const std::string>(std::move(tail)), 0);
}

void Outbox::write_prefix(std::size_t tail_bytes) {
  const std::size_t bytes = bytes_.size() - message_ - FramePrefix::kBytes + tail_bytes;
  FramePrefix{0, static_cast<std::uint32_t>(bytes)}.write(bytes_.data() + message_);
}

void Outbox::move_to(http2::Output& out, std::size_t count, BufferPool& buffers) {
  if (count == pending()) {
    begun_left_ = 0;
  } else {
    follow_messages(count);
  }
  set_aside_if_large(buffers);
  while (large_ && count > 0) {
    const Shared& buffer = large_->buffers.front();
    const std::size_t here = std::min(count, buffer->size() - large_->sent);
    out.append(buffer, std::string_view(*buffer).substr(large_->sent, here));
    large_->sent += here;
    large_->pending -= here;
    count -= here;
    if (large_->sent < buffer->size()) return;
    large_->weight -= BufferPool::weight(*buffer);
    large_->buffers.pop_front();
    large_->sent = 0;
    if (large_->buffers.empty()) large_.reset();
  }
  out.append(std::string_view(bytes_).substr(sent_, count));
  sent_ += count;
  if (sent_ == bytes_.size()) give_back(buffers);
}

/// The next `count` bytes are moved.
void Outbox::follow_messages(std::size_t count) {
  std::size_t end = begun_left_;
  while (end < count) end += FramePrefix::kBytes + FramePrefix::read(pending_at(end)).message_bytes;
  begun_left_ = static_cast<std::uint32_t>(end - count);
}

/// Where a pending byte lies.
const char* Outbox::pending_at(std::size_t offset) const {
  if (large_) {
    offset += large_->sent;
    for (const Shared& buffer : large_->buffers) {
      if (offset < buffer->size()) return buffer->data() + offset;
      offset -= buffer->size();
    }
  }
  return bytes_.data() + sent_ + offset;
}

void Outbox::drop_unbegun(BufferPool& buffers) {
  if (begun_left_ == 0) return clear(buffers);
  // A copy, since the large ones are shared with what was moved.
  std::string rest = buffers.take(begun_left_);
  const auto add = [&](std::string_view pending) {
    rest += pending.substr(0, begun_left_ - rest.size());
  };
  if (large_) {
    std::size_t sent = large_->sent;
    for (const Shared& buffer : large_->buffers)
      add(std::string_view(*buffer).substr(std::exchange(sent, 0)));
  }
  add(std::string_view(bytes_).substr(sent_));
  clear(buffers);
  begun_left_ = static_cast<std::uint32_t>(rest.size());
  bytes_ = std::move(rest);
}

void Outbox::set_aside_if_large(BufferPool& buffers) {
  if (bytes_.size() - sent_ >= kLeastLarge) set_aside_bytes(buffers);
}

void Outbox::set_aside_bytes(BufferPool& buffers) {
  const auto give_back = [&buffers](std::string* written) {
    buffers.give_back(*written);
    delete written;
  };
  set_aside(Shared(new std::string(std::exchange(bytes_, {})), give_back), std::exchange(sent_, 0));
}

void Outbox::set_aside(Shared buffer, std::size_t sent) {
  if (!large_) large_ = std::make_unique<Large>();
  if (large_->buffers.empty()) large_->sent = sent;
  large_->pending += buffer->size() - sent;
  large_->weight += BufferPool::weight(*buffer);
  large_->buffers.push_back(std::move(buffer));
}

void Outbox::clear(BufferPool& buffers) {
  large_.reset();
  begun_left_ = 0;
  give_back(buffers);
}

void Outbox::give_back(BufferPool& buffers) {
  buffers.give_back(bytes_);
  sent_ = 0;
}

}  // namespace extproc::grpc
