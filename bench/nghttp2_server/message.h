#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench::nghttp2_server {

enum class Phase : std::uint8_t {
  none = 0,
  request_headers = 2,  // the numbers of the members of ProcessingRequest
  response_headers = 3,
  request_body = 4,
  response_body = 5,
  request_trailers = 6,
  response_trailers = 7,
};

/// What the server reads of a ProcessingRequest; views into its bytes.
struct Message {
  Phase phase = Phase::none;
  std::string_view content;  ///< of the phase's message
};

struct Body {
  std::string_view bytes;
  bool end_of_stream = false;
};

/// All three are false where the bytes are not a protobuf message.
bool read_message(std::string_view bytes, Message& message);
/// The first x-request-id of an HttpHeaders; empty where there is none.
bool read_request_id(std::string_view headers, std::string_view& id);
bool read_body(std::string_view content, Body& body);

// Each appends one gRPC message, prefix included.

/// Sets one header to `value`.
void append_header_answer(std::string& out, Phase phase, std::string_view name,
                          std::string_view value);
/// Continues, and changes nothing.
void append_empty_answer(std::string& out, Phase phase);
/// Replaces a body; the `size` bytes of the new one follow.
void append_body_answer_head(std::string& out, Phase phase, std::size_t size);

/// What stands before and after the bytes of a body in the answer that passes it on in
/// FULL_DUPLEX_STREAMED.
struct Envelope {
  static constexpr std::size_t kMaxHead = 40;
  static constexpr std::size_t kMaxTail = 2;
  char head[kMaxHead];
  std::size_t head_size;
  char tail[kMaxTail];
  std::size_t tail_size;
};
Envelope streamed_envelope(Phase phase, const Body& body);

}  // namespace bench::nghttp2_server
