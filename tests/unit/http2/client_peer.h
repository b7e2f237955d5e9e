#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace extproc::http2::testing {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// What the client has seen of one of its streams.
struct ClientStream {
  Headers headers;   ///< of the response
  Headers trailers;  ///< or of the only HEADERS, when they ended the stream
  std::string body;
  bool end_stream = false;
  bool closed = false;
  std::optional<std::uint32_t> reset;  ///< the error code of the peer's RST_STREAM

  std::optional<std::string> header(std::string_view name) const;
  std::optional<std::string> trailer(std::string_view name) const;
  std::string grpc_status() const { return trailer("grpc-status").value_or("none"); }
  std::string grpc_message() const { return trailer("grpc-message").value_or(""); }
  /// The messages in the body; an incomplete one is left out.
  std::vector<std::string> messages() const;
};

struct ClientOptions {
  /// Off: the windows of the client shrink until consume() is called.
  bool auto_window = true;
  std::uint32_t stream_window = 65'535;
  /// Off: headers that nghttp2 would not send are sent as well.
  bool check_messages = true;
};

/// An HTTP/2 client in memory, on nghttp2. It exchanges bytes with anything that has receive() and
/// take_output(), as http2::Session and grpc::Connection do.
class ClientPeer {
 public:
  explicit ClientPeer(ClientOptions options = {});
  ~ClientPeer();
  ClientPeer(const ClientPeer&) = delete;
  ClientPeer& operator=(const ClientPeer&) = delete;

  /// A gRPC request's headers; the body follows with send().
  std::int32_t open_call(std::string_view path, const Headers& extra = {});
  std::int32_t open(const Headers& headers, bool end_stream = false);

  /// Sends `bytes` as one DATA frame, if the windows allow.
  void send(std::int32_t id, std::string bytes, bool end_stream = false);
  /// The same for one gRPC message with its prefix.
  void send_message(std::int32_t id, std::string_view message, bool end_stream = false);
  void end(std::int32_t id) { send(id, {}, true); }
  void reset(std::int32_t id, std::uint32_t code = NGHTTP2_CANCEL);
  /// Gives credit back, with auto_window off.
  void consume(std::int32_t id, std::size_t bytes);

  /// Bytes to the server, everything that waits.
  std::string take_output();
  /// Bytes from it. False when they break the protocol.
  bool receive(std::string_view bytes);

  const ClientStream& stream(std::int32_t id) { return streams_[id]; }
  /// Drops what is known of streams that are closed.
  void forget_closed();
  /// The last id of each GOAWAY received, and its error code.
  const std::vector<std::pair<std::int32_t, std::uint32_t>>& goaways() const { return goaways_; }
  /// DATA that the windows, or the peer's limits, have not let out.
  std::size_t unsent(std::int32_t id) const;
  nghttp2_session* native() { return session_; }

 private:
  friend struct ClientCallbacks;
  struct Outgoing {
    std::deque<std::string> chunks;
    bool end_stream = false;
    bool deferred = false;
  };

  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, ClientStream> streams_;
  std::map<std::int32_t, Outgoing> outgoing_;
  std::vector<std::pair<std::int32_t, std::uint32_t>> goaways_;
};

/// A gRPC message with its prefix.
std::string frame(std::string_view message, std::uint8_t compressed = 0);

/// Lets both sides talk until neither has anything to say. `receive` hands bytes to the server and
/// may ignore its answer; `take` appends the server's output. At most `piece` bytes are handed over
/// at once.
template <class Receive, class Take>
void exchange(ClientPeer& client, const Receive& receive, const Take& take,
              std::size_t piece = std::size_t{64} << 10) {
  for (bool quiet = false; !quiet;) {
    quiet = true;
    const std::string up = client.take_output();
    for (std::size_t at = 0; at < up.size(); at += piece) {
      quiet = false;
      receive(std::string_view(up).substr(at, piece));
    }
    std::string down;
    take(down);
    for (std::size_t at = 0; at < down.size(); at += piece) {
      quiet = false;
      client.receive(std::string_view(down).substr(at, piece));
    }
  }
}

}  // namespace extproc::http2::testing
