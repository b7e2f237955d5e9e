#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "buffer_pool.h"
#include "message.h"

namespace bench::nghttp2_server {

enum class Variant : std::uint8_t { headers, buffered, streamed, fds };

/// One call: finds the messages in its bytes, and holds the answers until they are sent.
class Stream {
 public:
  /// Takes bytes of the call, which may end anywhere, and adds the answers to what waits. False
  /// when they are malformed or too large.
  bool receive(std::string_view chunk, Variant variant, BufferPool& pool);

  std::size_t waiting() const { return out_.size() - out_sent_ + constant_.size(); }
  /// Appends the next `size` bytes that wait.
  void take_output(std::string& to, std::size_t size, BufferPool& pool);
  void release(BufferPool& pool);

  std::size_t uncredited = 0;  ///< received bytes for which the peer was given no credit yet
  bool responding = false;     ///< the response headers were submitted
  bool deferred = false;       ///< nghttp2 waits for nghttp2_session_resume_data
  bool half_closed = false;
  bool wrong_path = false;

 private:
  bool receive_part(std::string_view& chunk, Variant variant, BufferPool& pool);
  bool handle(std::string_view message, Variant variant, BufferPool& pool);
  bool answer_body(const Message& message, Variant variant, BufferPool& pool);
  void pass_on(Phase phase, const Body& body, BufferPool& pool);
  std::string& out(BufferPool& pool);

  std::string in_;  // room for an Envelope's head, then the part of a message that has come
  std::string out_;
  std::size_t out_sent_ = 0;
  std::string_view constant_;  // waits behind out_
  std::string id_;
};

}  // namespace bench::nghttp2_server
