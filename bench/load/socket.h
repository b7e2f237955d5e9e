#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace bench::load {

/// A connected socket that does not block; what goes through it is text, whatever the wire sees.
class Socket {
 public:
  /// Takes `fd`.
  explicit Socket(int fd) : fd_(fd) {}
  virtual ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int fd() const { return fd_; }
  /// As recv() and send() do: 0 for the end, -1 with errno, which is EAGAIN where it would block.
  virtual ssize_t read(std::span<std::uint8_t> to) = 0;
  virtual ssize_t write(std::string_view from) = 0;

 private:
  int fd_;
};

void do_not_block(int fd);

/// Makes a connection. Throws when there is none to be had.
using Connector = std::function<std::unique_ptr<Socket>()>;

/// `address` is "host:port" or "unix:path". With a file of CAs, which is PEM, connections are TLS
/// 1.3 with AES-128-GCM, and the server's certificate must be of one of them and name localhost.
Connector connector(const std::string& address, const std::string& tls_ca);

}  // namespace bench::load
