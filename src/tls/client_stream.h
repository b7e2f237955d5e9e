#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace extproc::tls {

/// How a client speaks TLS. Files are PEM.
struct ClientSettings {
  /// The CAs of which the server's certificate must be; empty: the system's.
  std::string ca_file{};
  /// The client's own certificate, with those between it and its CA, and its key without a
  /// password; both or neither.
  std::string certificate_file{};
  std::string key_file{};
  /// What the server's certificate must be for: a DNS name, which is also sent as SNI, or an IP
  /// address.
  std::string server_name{};
};

/// The client's side of one TLS session, 1.2 or later, which carries HTTP/2 (ALPN h2). It is fed
/// with the bytes of a connection and asked for bytes, and does no I/O itself. Every function
/// throws Error, which says what is wrong; the session is then over, but for take_output().
class ClientStream {
 public:
  /// Reads the files; take_output() has the first bytes for the server.
  explicit ClientStream(const ClientSettings& settings);
  ~ClientStream();
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  /// Takes bytes of the server, in order; appends what they say to `text`.
  void receive(std::string_view bytes, std::string& text);
  /// The connection has ended. Throws where that tells something of TLS.
  void receive_end();
  /// Kept until the handshake is done.
  void send(std::string_view text);
  /// What is to be sent to the server, for which there may be more after each of the functions.
  std::string take_output();

  /// Whether the handshake is done.
  bool is_open() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace extproc::tls
