#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace extproc::redis {

/// A real redis-server on the loopback, gone with its object. Throws std::runtime_error where it
/// does not start: scripts/install.sh build installs it.
class RedisServer {
 public:
  /// `options` as in its configuration, two words each: {"--requirepass", "x"}.
  explicit RedisServer(std::vector<std::string> options = {}, bool tls = false);
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  unsigned short port() const { return port_; }
  /// As if it had crashed.
  void kill();
  /// On the port that it had.
  void start();
  /// It does nothing, and its connections stay.
  void freeze();
  void thaw();
  /// Bytes that it answers to bytes, on a connection of their own: until it has said nothing for a
  /// while. In clear text.
  std::string raw(const std::string& bytes) const;

 private:
  std::vector<std::string> options_;
  bool tls_;
  unsigned short port_ = 0;
  ::pid_t process_ = 0;
};

}  // namespace extproc::redis
