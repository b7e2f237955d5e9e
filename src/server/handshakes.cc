#include "server/handshakes.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace extproc::server {

void Handshakes::begin(SocketConnection& connection) {
  connection.IdleHook::unlink();
  all_.push_back(connection);
  if (++under_way_ <= most_) return;
  boost::intrusive_ptr<SocketConnection>(&all_.front())->give_up_handshake();
}

void Handshakes::end(SocketConnection& connection) {
  connection.IdleHook::unlink();
  --under_way_;
}

void Handshakes::queue(SocketConnection& connection) {
  if (queue_.empty()) boost::asio::post(io_, [this] { continue_next(); });
  queue_.emplace_back(&connection);
}

void Handshakes::continue_next() {
  const auto next = std::move(queue_.front());
  queue_.pop_front();
  if (!queue_.empty()) boost::asio::post(io_, [this] { continue_next(); });
  next->continue_handshake();
}

}  // namespace extproc::server
