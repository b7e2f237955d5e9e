#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/unique_fd.h"

namespace extproc::admin {

/// A socket that listens on a port of 127.0.0.1.
class ListeningSocket {
 public:
  ListeningSocket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_.get(), SOMAXCONN), 0);
    socklen_t size = sizeof address_;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address_), &size);
  }

  int fd() const { return fd_.get(); }
  const sockaddr_in& address() const { return address_; }

 private:
  UniqueFd fd_;
  sockaddr_in address_{};
};

/// Sends bytes as they are and waits for what comes back, at most ten seconds.
class RawClient {
 public:
  explicit RawClient(const ListeningSocket& server)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    constexpr timeval kPatience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&server.address()),
                        sizeof server.address()),
              0);
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void end() { ::shutdown(fd_.get(), SHUT_WR); }

  /// What comes until `until` has come, or the end.
  std::string read_until(std::string_view until) {
    while (read_.find(until) == std::string::npos && read_some()) {
    }
    const std::size_t at = read_.find(until);
    const std::size_t size = at == std::string::npos ? read_.size() : at + until.size();
    std::string taken = read_.substr(0, size);
    read_.erase(0, size);
    return taken;
  }
  /// All that comes until the server closes.
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(read_, {});
  }

 private:
  bool read_some() {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (size > 0) read_.append(buffer.data(), static_cast<std::size_t>(size));
    return size > 0;
  }

  UniqueFd fd_;
  std::string read_;
};

}  // namespace extproc::admin
