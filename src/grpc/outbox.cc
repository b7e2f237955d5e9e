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

void Outbox::end_message(BufferPool& buffers) {
  const std::size_t bytes = bytes_.size() - message_ - FramePrefix::kBytes;
  FramePrefix{0, static_cast<std::uint32_t>(bytes)}.write(bytes_.data() + message_);
  if (message_ == 0) buffers.fit(bytes_);
}

void Outbox::move_to(std::string& out, std::size_t count, BufferPool& buffers) {
  out.append(bytes_, sent_, count);
  sent_ += count;
  if (pending() == 0) clear(buffers);
}

void Outbox::clear(BufferPool& buffers) {
  buffers.give_back(bytes_);
  sent_ = 0;
}

}  // namespace extproc::grpc
