#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "server/transport.h"
#include "test_authority.h"

namespace extproc::tls {

/// OpenSSL as the client of a session, in memory.
class TestClient {
 public:
  struct Options {
    /// Shown where the server asks for it.
    Pair pair{};
    std::string protocol = "h2";
    int version = 0;
  };

  TestClient(server::SecureSession& session, server::SecureBuffers& buffers,
             const Options& options);

  /// Moves bytes both ways until neither side has any; true where the client's handshake is done.
  bool shake_hands();
  void write(std::string_view text);
  /// What the session has written meanwhile.
  std::string read();
  /// What the client would send now, and is not sent.
  std::string take_bytes();
  /// To the session, and its answer back.
  void give(std::string_view bytes);
  /// The session's text.
  std::string text();
  SSL* ssl() { return ssl_.get(); }

 private:
  server::SecureSession& session_;
  server::SecureBuffers& buffers_;
  SslContextPtr context_;
  SslPtr ssl_;
  std::string text_;
};

}  // namespace extproc::tls
