#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "http2/client_peer.h"

namespace extproc::server::testing {

using http2::testing::ClientOptions;
using http2::testing::ClientPeer;
using http2::testing::ClientStream;

inline constexpr std::string_view kProcess = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";
inline constexpr std::string_view kCheck = "/grpc.health.v1.Health/Check";
inline constexpr std::string_view kWatch = "/grpc.health.v1.Health/Watch";

/// A ProcessingRequest with request_headers, without any header in it.
inline constexpr std::string_view kRequestHeaders("\x12\x00", 2);
inline constexpr std::string_view kServing("\x08\x01", 2);
inline constexpr std::string_view kNotServing("\x08\x02", 2);

/// An HTTP/2 client on a real socket. It moves bytes in talk_until() only.
class SocketClient {
 public:
  /// To a port of the loopback interface.
  explicit SocketClient(int port, ClientOptions options = {});
  /// To a Unix domain socket.
  explicit SocketClient(const std::string& path, ClientOptions options = {});

  /// Exchanges bytes until `done()`, which is false when the server closes first, or takes far too
  /// long.
  bool talk_until(const std::function<bool()>& done);
  /// Until the server has closed the connection.
  bool talk_until_closed();
  bool closed() const { return closed_; }

  /// Sends what the peer has to say, and reads nothing.
  void send_only();
  void send_bytes(std::string_view bytes);
  void close() { fd_.reset(); }
  /// The server has reset the connection.
  bool failed() const;

  /// Opens a call, sends one message and waits for one answer. The call is left open.
  std::int32_t call(std::string_view path, std::string_view message);
  const ClientStream& stream(std::int32_t id) { return peer.stream(id); }

  ClientPeer peer;

 private:
  bool read_some();

  UniqueFd fd_;
  bool closed_ = false;
};

/// Whether a connection to the port can be had.
bool accepts_connections(int port);

/// True once `condition()` is; false when that takes far too long.
bool eventually(const std::function<bool()>& condition);

/// A folder that is gone with the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace extproc::server::testing
