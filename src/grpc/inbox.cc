#include "grpc/inbox.h"

#include <algorithm>
#include <utility>

namespace extproc::grpc {

std::optional<FramePrefix> Inbox::partial_prefix() const {
  if (partial_size() < FramePrefix::kBytes) return std::nullopt;
  return FramePrefix::read(bytes_.data() + partial_);
}

Inbox::Appended Inbox::append(std::string_view chunk, BufferPool& buffers) {
  const std::optional<FramePrefix> known = partial_prefix();
  const std::size_t whole = FramePrefix::kBytes + (known ? known->message_bytes : 0);
  const std::size_t taken = std::min(chunk.size(), whole - partial_size());
  make_room(taken, whole, buffers);
  bytes_.append(chunk.substr(0, taken));

  const std::optional<FramePrefix> prefix = partial_prefix();
  if (prefix && partial_size() == FramePrefix::kBytes + prefix->message_bytes)
    partial_ = bytes_.size();
  return {taken, known ? std::nullopt : prefix};
}

void Inbox::make_room(std::size_t bytes, std::size_t whole, BufferPool& buffers) {
  if (begin_ > bytes_.size() - begin_) {
    // More than half has been delivered: moving the rest costs less than what was saved.
    bytes_.erase(0, begin_);
    partial_ -= begin_;
    begin_ = 0;
  }
  const std::size_t needed = bytes_.size() + bytes;
  if (needed <= bytes_.capacity()) return;
  // As much as the message needs, as far as the peer has shown that it means it.
  constexpr std::size_t kTrust = 8;
  std::size_t room = std::max(needed, std::min(needed * kTrust, partial_ + whole));
  // Many small ones that wait are not all to be moved for each that comes.
  if (has_message()) room = std::max(room, bytes_.capacity() * 2);
  std::string larger = buffers.take(room);
  larger.append(bytes_);
  buffers.give_back(bytes_);
  bytes_ = std::move(larger);
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

void Inbox::clear(BufferPool& buffers) {
  buffers.give_back(bytes_);
  begin_ = partial_ = 0;
}

}  // namespace extproc::grpc
