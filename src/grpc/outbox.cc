#include "grpc/outbox.h"

#include "grpc/frame.h"

namespace extproc::grpc {

std::string& Outbox::begin_message(BufferPool& buffers) {
  if (bytes_.empty()) {
    bytes_ = buffers.take();
  } else if (sent_ > pending()) {
    bytes_.erase(0, sent_);
    sent_ = 0;
  }
  message_ = bytes_.size();
  bytes_.append(FramePrefix::kBytes, '\0');
  return bytes_;
}

std::size_t Outbox::end_message() {
  const std::size_t bytes = bytes_.size() - message_;
  const auto message_bytes = static_cast<std::uint32_t>(bytes - FramePrefix::kBytes);
  FramePrefix{0, message_bytes}.write(bytes_.data() + message_);
  return bytes;
}

void Outbox::move_to(std::string& out, std::size_t count, BufferPool& buffers) {
  out.append(bytes_, sent_, count);
  sent_ += count;
  if (pending() == 0) clear(buffers);
}

std::size_t Outbox::clear(BufferPool& buffers) {
  const std::size_t dropped = pending();
  buffers.give_back(bytes_);
  sent_ = 0;
  return dropped;
}

}  // namespace extproc::grpc
