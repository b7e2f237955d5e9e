#include "grpc/inbox.h"

#include <algorithm>
#include <utility>

namespace extproc::grpc {

std::optional<FramePrefix> Inbox::Stored::partial_prefix() const {
  if (partial_size() < FramePrefix::kBytes) return std::nullopt;
  return FramePrefix::read(bytes.data() + partial);
}

Inbox::Appended Inbox::append(std::string_view chunk, BufferPool& buffers) {
  if (empty()) stored_ = std::make_unique<Stored>();
  Stored& stored = *stored_;
  const std::optional<FramePrefix> known = stored.partial_prefix();
  const std::size_t whole = FramePrefix::kBytes + (known ? known->message_bytes : 0);
  const std::size_t taken = std::min(chunk.size(), whole - stored.partial_size());
  stored.make_room(taken, whole, buffers);
  stored.bytes.append(chunk.substr(0, taken));

  const std::optional<FramePrefix> prefix = stored.partial_prefix();
  if (prefix && stored.partial_size() == FramePrefix::kBytes + prefix->message_bytes)
    stored.partial = stored.bytes.size();
  return {taken, known ? std::nullopt : prefix};
}

void Inbox::Stored::make_room(std::size_t more, std::size_t whole, BufferPool& buffers) {
  if (begin > bytes.size() - begin) {
    // More than half has been delivered: moving the rest costs less than what was saved.
    bytes.erase(0, begin);
    partial -= begin;
    begin = 0;
  }
  const std::size_t needed = bytes.size() + more;
  if (needed <= bytes.capacity()) return;
  // As much as the message needs, as far as the peer has shown that it means it.
  constexpr std::size_t kTrust = 8;
  std::size_t room = std::max(needed, std::min(needed * kTrust, partial + whole));
  // Many small ones that wait are not all to be moved for each that comes.
  if (begin < partial) room = std::max(room, bytes.capacity() * 2);
  std::string larger = buffers.take(room);
  larger.append(bytes);
  buffers.give_back(bytes);
  bytes = std::move(larger);
}

std::string_view Inbox::front() const {
  const char* first = stored_->bytes.data() + stored_->begin;
  return {first + FramePrefix::kBytes, FramePrefix::read(first).message_bytes};
}

std::size_t Inbox::pop(BufferPool& buffers) {
  const std::size_t popped = FramePrefix::kBytes + front().size();
  stored_->begin += popped;
  if (stored_->begin == stored_->bytes.size()) clear(buffers);
  return popped;
}

void Inbox::clear(BufferPool& buffers) {
  if (empty()) return;
  buffers.give_back(stored_->bytes);
  stored_.reset();
}

}  // namespace extproc::grpc
