#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench::load {

/// One message of a stream, and what its answer must be. Step k is answered by answer k.
struct Step {
  std::string_view bytes;       ///< with the gRPC prefix
  std::size_t after_answers;    ///< it is sent when so many have come
  unsigned char answer_tag;     ///< the first byte of the answer: which member of its oneof is set
  std::size_t answer_at_least;  ///< the least size of the answer, in bytes
};

enum class Body : std::uint8_t { none, buffered, streamed, fds };

/// What a stream says, in Envoy's order: request headers, the request's body in one message or in
/// chunks, response headers. Bodies in chunks are sent ahead of their answers, as far as Envoy's
/// own buffers would let it. Every stream says the same.
class Script {
 public:
  struct Parts {
    std::string request_headers;   ///< a serialised ProcessingRequest
    std::string response_headers;  ///< the same; empty: the stream has none
    Body body = Body::none;
    std::size_t body_bytes = 0;
    std::size_t chunk_bytes = 0;
  };
  explicit Script(const Parts& parts);

  const std::vector<Step>& steps() const { return steps_; }

 private:
  void add_body(const Parts& parts);

  std::string request_headers_;
  std::string response_headers_;
  std::string chunk_;
  std::string last_chunk_;
  std::vector<Step> steps_;
};

}  // namespace bench::load
