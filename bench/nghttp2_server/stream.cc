#include "stream.h"

#include <algorithm>
#include <cstring>

namespace bench::nghttp2_server {
namespace {

constexpr std::size_t kPrefix = 5;
constexpr std::size_t kHeadroom = Envelope::kMaxHead;
constexpr std::size_t kLargestMessage = std::size_t{16} << 20;
constexpr std::size_t kReplacementBytes = std::size_t{1} << 20;

std::string_view replacement() {
  static const std::string kBody(kReplacementBytes, 'r');
  return kBody;
}

std::size_t message_size(const char* prefix) {
  std::size_t size = 0;
  for (std::size_t i = 1; i < kPrefix; ++i)
    size = size << 8U | static_cast<unsigned char>(prefix[i]);
  return size;
}

bool acceptable(const char* prefix) {
  return prefix[0] == 0 && message_size(prefix) <= kLargestMessage;
}

}  // namespace

bool Stream::receive(std::string_view chunk, Variant variant, BufferPool& pool) {
  while (!chunk.empty()) {
    const bool whole = in_.empty() && chunk.size() >= kPrefix &&
                       chunk.size() - kPrefix >= message_size(chunk.data());
    if (!whole) {
      if (!receive_part(chunk, variant, pool)) return false;
      continue;
    }
    const std::size_t size = message_size(chunk.data());
    if (!acceptable(chunk.data()) || !handle(chunk.substr(kPrefix, size), variant, pool))
      return false;
    chunk.remove_prefix(kPrefix + size);
  }
  return true;
}

bool Stream::receive_part(std::string_view& chunk, Variant variant, BufferPool& pool) {
  if (in_.empty()) {
    in_ = pool.take();
    in_.resize(kHeadroom);
  }
  std::size_t wanted = kHeadroom + kPrefix;
  if (in_.size() >= wanted) wanted += message_size(in_.data() + kHeadroom);
  const std::size_t taken = std::min(wanted - in_.size(), chunk.size());
  in_.append(chunk.substr(0, taken));
  chunk.remove_prefix(taken);
  if (in_.size() < wanted) return true;

  if (wanted == kHeadroom + kPrefix) {
    if (!acceptable(in_.data() + kHeadroom)) return false;
    const std::size_t size = message_size(in_.data() + kHeadroom);
    in_.reserve(wanted + size);
    if (size != 0) return true;
  }
  const bool good = handle(std::string_view(in_).substr(kHeadroom + kPrefix), variant, pool);
  pool.give_back(in_);
  return good;
}

bool Stream::handle(std::string_view bytes, Variant variant, BufferPool& pool) {
  Message message;
  if (!read_message(bytes, message)) return false;
  switch (message.phase) {
    case Phase::request_headers: {
      std::string_view id;
      if (!read_request_id(message.content, id)) return false;
      id_ = id;
      append_header_answer(out(pool), message.phase, "x-bench-request", id_);
      return true;
    }
    case Phase::response_headers:
      append_header_answer(out(pool), message.phase, "x-bench-response", id_);
      return true;
    case Phase::request_body:
    case Phase::response_body:
      return answer_body(message, variant, pool);
    case Phase::request_trailers:
    case Phase::response_trailers:
      append_empty_answer(out(pool), message.phase);
      return true;
    case Phase::none:
      return false;
  }
  return false;
}

bool Stream::answer_body(const Message& message, Variant variant, BufferPool& pool) {
  Body body;
  if (!read_body(message.content, body)) return false;
  if (variant == Variant::fds) {
    pass_on(message.phase, body, pool);
  } else if (variant == Variant::buffered) {
    append_body_answer_head(out(pool), message.phase, replacement().size());
    constant_ = replacement();
  } else {
    append_empty_answer(out(pool), message.phase);
  }
  return true;
}

void Stream::pass_on(Phase phase, const Body& body, BufferPool& pool) {
  const Envelope envelope = streamed_envelope(phase, body);
  const std::string_view head(envelope.head, envelope.head_size);
  const std::string_view tail(envelope.tail, envelope.tail_size);
  if (waiting() != 0 || in_.empty()) {
    out(pool).append(head).append(body.bytes).append(tail);
    return;
  }
  // The buffer that the message was gathered in becomes the answer, without a copy of the body.
  const auto at = body.bytes.empty() ? kHeadroom + kPrefix
                                     : static_cast<std::size_t>(body.bytes.data() - in_.data());
  in_.resize(at + body.bytes.size());
  in_.append(tail);
  out_sent_ = at - head.size();
  std::memcpy(in_.data() + out_sent_, head.data(), head.size());
  out_.swap(in_);
}

std::string& Stream::out(BufferPool& pool) {
  if (out_.empty()) out_ = pool.take();
  if (!constant_.empty()) {
    out_.append(constant_);
    constant_ = {};
  }
  return out_;
}

void Stream::take_output(std::string& to, std::size_t size, BufferPool& pool) {
  const std::size_t own = std::min(size, out_.size() - out_sent_);
  to.append(out_, out_sent_, own);
  out_sent_ += own;
  to.append(constant_.substr(0, size - own));
  constant_.remove_prefix(size - own);
  if (out_sent_ < out_.size()) return;
  pool.give_back(out_);
  out_sent_ = 0;
}

void Stream::release(BufferPool& pool) {
  pool.give_back(in_);
  pool.give_back(out_);
}

}  // namespace bench::nghttp2_server
