#include "grpc/inbox.h"

#include <algorithm>

namespace extproc::grpc {

std::optional<FramePrefix> Inbox::partial_prefix() const {
  if (partial_size() < FramePrefix::kBytes) return std::nullopt;
  return FramePrefix::read(bytes_.data() + partial_);
}

Inbox::Appended Inbox::append(std::string_view chunk, BufferPool& buffers) {
  make_room(buffers);
  const std::optional<FramePrefix> known = partial_prefix();
  const std::size_t whole = FramePrefix::kBytes + (known ? known->message_bytes : 0);
  const std::size_t taken = std::min(chunk.size(), whole - partial_size());
  // Doubles, but not beyond the message: a large one would keep up to twice its size.
  const std::size_t needed = bytes_.size() + taken;
  if (needed > bytes_.capacity())
    bytes_.reserve(std::max(needed, std::min(bytes_.capacity() * 2, partial_ + whole)));
  bytes_.append(chunk.substr(0, taken));

  const std::optional<FramePrefix> prefix = partial_prefix();
  if (prefix && partial_size() == FramePrefix::kBytes + prefix->message_bytes)
    partial_ = bytes_.size();
  return {taken, known ? std::nullopt : prefix};
}

void Inbox::make_room(BufferPool& buffers) {
  if (bytes_.empty()) {
    bytes_ = buffers.take();
  } else if (begin_ > bytes_.size() - begin_) {
    // More than half has been delivered: moving the rest costs less than what was saved.
    bytes_.erase(0, begin_);
    partial_ -= begin_;
    begin_ = 0;
  }
}

std::string_view Inbox::front() const {
  const FramePrefix prefix = FramePrefix::read(bytes_.data() + begin_);
  return std::string_view(bytes_).substr(begin_ + FramePrefix::kBytes, prefix.message_bytes);
}

std::size_t Inbox::pop(BufferPool& buffers) {
  const std::size_t popped = FramePrefix::kBytes + front().size();
  begin_ += popped;
  if (empty()) clear(buffers);
  return popped;
}

std::size_t Inbox::clear(BufferPool& buffers) {
  const std::size_t dropped = bytes_.size() - begin_;
  buffers.give_back(bytes_);
  begin_ = partial_ = 0;
  return dropped;
}

}  // namespace extproc::grpc
