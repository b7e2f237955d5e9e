#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/logger.h"
#include "server/bound_socket.h"
#include "server/socket.h"

namespace extproc::server {

/// Accepts connections on the sockets of one server and hands them on. One thread, that of the
/// io_context, whose work must have ended when it is destroyed.
class Listener {
 public:
  using OnAccept = std::function<void(AcceptedSocket)>;

  /// Of at least one socket. Accepts nothing yet.
  Listener(boost::asio::io_context& io, const Logger& logger, std::vector<BoundSocket> sockets);
  ~Listener();

  /// `on_exhausted` is called where the process is out of file descriptors, before it is tried
  /// again.
  void start(OnAccept on_accept, std::function<void()> on_exhausted);
  void close();

  /// 0 for a Unix domain socket.
  int port() const { return port_; }
  /// The address with the port in use.
  const std::string& address() const { return address_; }

 private:
  class Acceptor;

  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  int port_ = 0;
  std::string address_;
  OnAccept on_accept_;
  std::function<void()> on_exhausted_;
};

}  // namespace extproc::server
