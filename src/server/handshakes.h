#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <deque>

#include "server/socket_connection.h"

namespace extproc::server {

/// The connections of one thread whose TLS handshake is under way: how many there may be, and whose
/// turn it is. A step takes up to a millisecond, so that one is taken, and then whatever else has
/// come: a row of them would hold up every stream of the thread.
class Handshakes {
 public:
  /// `io` must outlive it.
  Handshakes(boost::asio::io_context& io, std::size_t most) : io_(io), most_(most) {}

  /// For those that begin from now on.
  void set_most(std::size_t most) { most_ = most; }
  /// For one above the bound, the one that has taken longest is closed.
  void begin(SocketConnection& connection);
  /// Once for each that began; it may be that one.
  void end(SocketConnection& connection);
  /// Bytes for it have come: it gets its turn.
  void queue(SocketConnection& connection);

 private:
  void continue_next();

  boost::asio::io_context& io_;
  std::size_t most_;
  std::size_t under_way_ = 0;
  /// In the order of their beginning.
  boost::intrusive::list<SocketConnection, boost::intrusive::constant_time_size<false>> all_;
  /// In the order in which something came.
  std::deque<boost::intrusive_ptr<SocketConnection>> queue_;
};

}  // namespace extproc::server
