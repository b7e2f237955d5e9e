// Worker: its connections, how they come, end and make room, and what they tell it.
#include <boost/asio/post.hpp>
#include <functional>
#include <string_view>
#include <utility>

#include "server/worker.h"

namespace extproc::server {
namespace {

namespace asio = boost::asio;

/// The time that the last answers have to leave when streams are ended by force.
constexpr std::chrono::milliseconds kLastFlush{200};
/// Connections that may be about to close to make room for others: so many may be open over the
/// limit.
constexpr std::size_t kMostMakingRoom = 64;
constexpr std::string_view kShutdownMessage = "server is shutting down";

/// Calls a callback at most once.
void tell(std::function<void()>& callback) {
  if (callback) std::exchange(callback, nullptr)();
}

}  // namespace

void Worker::survey(std::shared_ptr<Survey> survey) {
  asio::post(io_, [this, survey = std::move(survey)] {
    if (const auto connection = largest()) survey->tell(*this, connection->held_bytes());
  });
}

Worker::ConnectionPtr Worker::largest() const {
  const auto found = std::ranges::max_element(connections_, {},
                                              [](const auto& each) { return each->held_bytes(); });
  return found == connections_.end() ? nullptr : *found;
}

void Worker::shed(std::size_t least) {
  // Whether or not it is ever run.
  const std::shared_ptr<void> end(
      nullptr, [limit = memory_.limit()](void*) { ProcessMemory::instance().end_shedding(limit); });
  asio::post(io_, [this, least, end] {
    const auto connection = largest();
    if (connection == nullptr || connection->held_bytes() < least) return;
    counters_.connections_shed.add();
    connection->shed();
    memory_.tell();
  });
}

void Worker::add(AcceptedSocket socket) {
  load_.fetch_add(1, std::memory_order_relaxed);
  asio::post(io_, [this, socket = std::move(socket)]() mutable { open(std::move(socket)); });
}

void Worker::replace_idlest(AcceptedSocket socket) {
  load_.fetch_add(1, std::memory_order_relaxed);
  asio::post(io_, [this, socket = std::move(socket)]() mutable {
    if (end_idlest()) return open(std::move(socket));
    counters_.connections_refused.add();
    load_.fetch_sub(1, std::memory_order_relaxed);
    tell_if_empty();
  });
}

void Worker::drop_idlest() {
  asio::post(io_, [this] { end_idlest(); });
}

bool Worker::end_idlest() {
  if (idle_.empty() || making_room_ >= kMostMakingRoom) return false;
  counters_.connections_displaced.add();
  ++making_room_;
  const ConnectionPtr idlest(&idle_.front());
  idlest->make_room();
  return true;
}

void Worker::open(AcceptedSocket accepted) {
  Socket socket(io_.get_executor());
  boost::system::error_code error;
  socket.assign(accepted.protocol, accepted.fd.get(), error);
  if (error) {
    logger_.log(LogLevel::error, LineKind::connection,
                "connection from " + accepted.peer + ": " + error.message());
    load_.fetch_sub(1, std::memory_order_relaxed);
    return tell_if_empty();
  }
  accepted.fd.release();
  counters_.connections_accepted.add();
  counters_.connections_open.add();
  const auto connection = ConnectionPtr(
      new SocketConnection(environment_, std::move(socket), std::move(accepted.peer)));
  connections_.insert(connection);
  connection->start();
}

void Worker::begin_drain(std::function<void()> seen) {
  asio::post(io_, [this, seen = std::move(seen)]() mutable {
    seen_ = std::move(seen);
    health_.set_serving(false);
    const auto connections = open_connections();
    for (const auto& connection : connections) {
      if (!connection->shutdown_seen() && !connection->in_handshake())
        unseen_.insert(connection.get());
    }
    for (const auto& connection : connections) connection->begin_shutdown();
    tell_if_seen();
  });
}

void Worker::finish_drain(std::function<void()> empty) {
  asio::post(io_, [this, empty = std::move(empty)]() mutable {
    empty_ = std::move(empty);
    health_.end_watches();
    if (reflection_) reflection_->end_streams();
    for (const auto& connection : open_connections()) connection->finish_shutdown();
    tell_if_empty();
  });
}

void Worker::end_streams() {
  asio::post(io_, [this] {
    for (const auto& connection : open_connections()) connection->end_all(kShutdownMessage);
    last_flush_.expires_after(kLastFlush);
    last_flush_.async_wait([this](const boost::system::error_code&) {
      for (const auto& connection : open_connections()) connection->close();
    });
  });
}

std::vector<Worker::ConnectionPtr> Worker::open_connections() const {
  return {connections_.begin(), connections_.end()};
}

void Worker::on_output(SocketConnection& connection) {
  // Not at once: more may follow in the same event, for one write of all.
  if (to_flush_.empty()) asio::post(io_, [this] { flush_connections(); });
  to_flush_.emplace_back(&connection);
}

void Worker::flush_connections() {
  flushing_.swap(to_flush_);
  for (const auto& connection : flushing_) connection->flush();
  flushing_.clear();
}

void Worker::on_idle(SocketConnection& connection, bool idle) {
  connection.IdleHook::unlink();
  if (idle) idle_.push_back(connection);
  idle_since_.store(
      idle_.empty() ? kNoneIdle : idle_.front().last_read().time_since_epoch().count(),
      std::memory_order_relaxed);
}

void Worker::on_handshake(SocketConnection& connection, bool under_way) {
  under_way ? handshakes_.begin(connection) : handshakes_.end(connection);
}

void Worker::on_handshake_bytes(SocketConnection& connection) { handshakes_.queue(connection); }

void Worker::on_shutdown_seen(SocketConnection& connection) {
  unseen_.erase(&connection);
  tell_if_seen();
}

void Worker::on_closed(SocketConnection& connection) {
  // First what counts against the limit: whoever sees one less open may open one.
  load_.fetch_sub(1, std::memory_order_relaxed);
  counters_.connections_open.subtract();
  if (connection.makes_room()) --making_room_;
  unseen_.erase(&connection);
  connections_.erase(ConnectionPtr(&connection));
  tell_if_seen();
  tell_if_empty();
}

void Worker::tell_if_seen() {
  if (unseen_.empty()) tell(seen_);
}

void Worker::tell_if_empty() {
  if (connections_.empty()) tell(empty_);
}

}  // namespace extproc::server
