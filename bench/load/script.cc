#include "script.h"

#include <algorithm>

namespace bench::load {
namespace {

constexpr std::size_t kChunksAhead = 16;
// Keys of length-delimited fields. A phase's number in ProcessingResponse is one less than in
// ProcessingRequest.
constexpr char kRequestBody = 4 << 3 | 2;
constexpr unsigned char kHeadersAnswer = 1 << 3 | 2;
constexpr unsigned char kResponseHeadersAnswer = 2 << 3 | 2;
constexpr unsigned char kBodyAnswer = 3 << 3 | 2;

void append_varint(std::string& out, std::size_t value) {
  for (; value >= 0x80; value >>= 7U) out.push_back(static_cast<char>(value | 0x80U));
  out.push_back(static_cast<char>(value));
}

std::string with_prefix(std::string_view message) {
  std::string framed(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8)
    framed.push_back(static_cast<char>(message.size() >> shift & 0xFFU));
  return framed.append(message);
}

std::string body_message(std::size_t bytes, bool last) {
  std::string body;
  if (bytes != 0) {
    body.push_back(1 << 3 | 2);  // HttpBody.body
    append_varint(body, bytes);
    body.append(bytes, 'b');
  }
  if (last) body.append("\x10\x01", 2);  // HttpBody.end_of_stream
  std::string message(1, kRequestBody);
  append_varint(message, body.size());
  return with_prefix(message + body);
}

}  // namespace

Script::Script(const Parts& parts)
    : request_headers_(with_prefix(parts.request_headers)),
      response_headers_(parts.response_headers.empty() ? "" : with_prefix(parts.response_headers)) {
  steps_.push_back({request_headers_, 0, kHeadersAnswer, 0});
  if (parts.body != Body::none) add_body(parts);
  if (!response_headers_.empty())
    steps_.push_back({response_headers_, steps_.size(), kResponseHeadersAnswer, 0});
}

void Script::add_body(const Parts& parts) {
  const bool whole = parts.body == Body::buffered;
  const std::size_t chunk = whole ? parts.body_bytes : parts.chunk_bytes;
  const std::size_t count = std::max<std::size_t>(1, parts.body_bytes / chunk);
  chunk_ = body_message(chunk, false);
  last_chunk_ = body_message(chunk, true);
  const std::size_t least = parts.body == Body::streamed ? 0 : chunk;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t behind = i < kChunksAhead ? 0 : i - kChunksAhead;
    steps_.push_back({i + 1 == count ? last_chunk_ : chunk_, 1 + behind, kBodyAnswer, least});
  }
}

}  // namespace bench::load
