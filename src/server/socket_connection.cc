#include "server/socket_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/socket_base.hpp>
#include <span>
#include <utility>

#include "base/recycle.h"

namespace extproc::server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// What is still read while the peer takes nothing. Reading on without bound would let it grow what
/// is queued for it: answers to pings, settings and resets. Reading nothing could stand still for
/// ever with a peer that does the same.
constexpr std::size_t kReadWhileFull = std::size_t{1} << 20;
/// How long the peer may take to close its side after us. Closing while it still sends would make
/// the kernel reset the connection, and the peer lose our last words.
constexpr std::chrono::milliseconds kLinger{200};

using NoDelay = asio::detail::socket_option::boolean<IPPROTO_TCP, TCP_NODELAY>;

}  // namespace

SocketConnection::SocketConnection(ConnectionEnvironment& environment, Socket socket,
                                   std::string peer)
    : environment_(environment),
      socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      peer_(std::move(peer)),
      last_read_(Clock::now()) {}

SocketConnection::~SocketConnection() = default;

void SocketConnection::start() {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  // A Unix domain socket knows neither of these.
  socket_.set_option(NoDelay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);

  const Limits& limits = environment_.limits;
  transport_.emplace(limits, environment_.services, environment_.deadlines, environment_.buffers,
                     peer_, [this] { environment_.owner.on_output(*this); });
  if (limits.handshake_timeout.count() > 0) {
    handshake_end_ = last_read_ + limits.handshake_timeout;
  }
  look_by(handshake_end_);
  begin_age();
  if (limits.idle_timeout.count() > 0) look_by(last_read_ + limits.idle_timeout);
  if (environment_.transport != nullptr) begin_handshake();
  count_own();
  wait_readable();
  flush();
}

void SocketConnection::count_own() {
  const std::size_t secure = secure_ == nullptr ? 0 : secure_->memory();
  const std::size_t bytes = closed() ? 0 : sizeof(SocketConnection) + unsent_.capacity() + secure;
  environment_.buffers.count(static_cast<std::ptrdiff_t>(bytes) -
                             static_cast<std::ptrdiff_t>(own_bytes_));
  own_bytes_ = bytes;
}

std::size_t SocketConnection::held_bytes() const {
  return own_bytes_ + (transport_ ? transport_->held_bytes() : 0);
}

void SocketConnection::shed() {
  fail(
      "closed, since it holds the most memory and all together hold more than "
      "Limits::memory_bytes: " +
          std::to_string(held_bytes()) + " bytes",
      LogLevel::warning);
}

void SocketConnection::tell_if_idle() {
  const bool idle = transport_ && !refused_ && transport_->open_streams() == 0;
  // A stream may have come and gone since the last time.
  const std::uint64_t progress = idle ? transport_->progress() : 0;
  if (idle == idle_ && progress == idle_progress_) return;
  idle_ = idle;
  idle_progress_ = progress;
  environment_.owner.on_idle(*this, idle);
}

void SocketConnection::wait_readable() {
  socket_.async_read_some(asio::buffer(first_input_),
                          [self = Ptr(this)](const error_code& error, std::size_t bytes) {
                            if (!self->closed()) self->on_read(error, bytes);
                          });
}

void SocketConnection::wait_writable() {
  waiting_writable_ = true;
  socket_.async_wait(Socket::wait_write, [self = Ptr(this)](const error_code& error) {
    if (!error && !self->closed()) self->on_writable();
  });
}

void SocketConnection::on_read(const error_code& error, std::size_t bytes) {
  if (!transport_ || refused_) {
    if (error) return close();
    if (bytes == first_input_.size()) discard_input();
  } else if (in_handshake() && !error) {
    // What follows is read in its turn.
    handshake_bytes_ = static_cast<std::uint16_t>(bytes);
    return environment_.owner.on_handshake_bytes(*this);
  } else if (take_input(error, bytes)) {
    after_event();
  }
  if (closed()) return;
  reading_paused_ = transport_ && waiting_writable_ && read_while_full_ >= kReadWhileFull;
  if (!reading_paused_) wait_readable();
}

/// Takes what was read first, and what else is there. False when the connection is closed.
bool SocketConnection::take_input(error_code error, std::size_t bytes) {
  last_read_ = Clock::now();
  std::span<const char> buffer = first_input_;
  for (int i = 0;; ++i) {
    if (not_ready(error)) break;
    if (error) {
      fail_to_read(error);
      return false;
    }
    if (waiting_writable_) read_while_full_ += bytes;
    if (!receive({buffer.data(), bytes})) break;
    if (bytes < buffer.size() || i == kBuffersPerEvent) break;
    buffer = environment_.input;
    bytes = socket_.read_some(asio::buffer(environment_.input), error);
  }
  if (!refused_) look_by(last_read_ + environment_.look_interval);
  return true;
}

void SocketConnection::fail_to_read(const error_code& error) {
  const bool quiet = error == asio::error::eof && transport_->open_streams() == 0;
  fail(quiet                       ? ""
       : error == asio::error::eof ? "closed by the peer"
                                   : error.message(),
       LogLevel::debug);
}

/// False where no more is to be read.
bool SocketConnection::receive(std::string_view bytes) {
  if (secure_ != nullptr) return receive_secure(bytes);
  if (transport_->receive(bytes, last_read_)) return true;
  refused_ = true;
  wait_until(last_read_ + kNoticeTime);
  return false;
}

void SocketConnection::discard_input() {
  for (int i = 0; i < kBuffersPerEvent; ++i) {
    error_code error;
    const std::size_t size = socket_.read_some(asio::buffer(environment_.input), error);
    if (not_ready(error)) return;
    if (error) return close();
    if (size < environment_.input.size()) return;
  }
}

void SocketConnection::after_event() {
  flush();
  if (closed() || !transport_) return;
  if (shutdown_begun_ && !shutdown_seen_ && transport_->shutdown_seen()) {
    shutdown_seen_ = true;
    environment_.owner.on_shutdown_seen(*this);
  }
  if (finish_wanted_ && shutdown_seen_ && !finish_sent_) {
    finish_sent_ = true;
    transport_->finish_shutdown();
    flush();
  }
}

// A client that is set up wrong comes again and again.
void SocketConnection::tell_error() const {
  const auto error = transport_->error();
  if (error.empty()) return;
  const bool once = !transport_->established();
  if (!once) return log(LogLevel::warning, error);
  const bool first = environment_.told.first(error);
  log(first ? LogLevel::warning : LogLevel::debug,
      std::string(error) + (first ? ". This is logged once" : ""));
}

void SocketConnection::linger() {
  tell_error();
  transport_.reset();
  if (secure_ != nullptr && !in_handshake()) {
    secure_->end();
    send_secured();
    if (closed()) return;
  }
  end_handshake();
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  wait_until(Clock::now() + kLinger);
}

void SocketConnection::begin_shutdown() {
  if (shutdown_begun_ || closed() || !transport_) return;
  shutdown_begun_ = true;
  transport_->begin_shutdown();
  flush();
}

void SocketConnection::finish_shutdown() {
  // There is no stream that could be lost, and its peer may take its time.
  if (in_handshake()) return close();
  finish_wanted_ = true;
  begin_shutdown();
  after_event();
}

void SocketConnection::make_room() {
  makes_room_ = true;
  log(LogLevel::debug, "idle for the longest time, ending it to make room");
  transport_->finish_shutdown();
  flush();
  // Not all could be told.
  if (!closed() && transport_) close();
}

void SocketConnection::end_all(std::string_view message) {
  if (closed() || !transport_) return;
  transport_->end_all(GrpcStatus::unavailable, message);
  flush();
}

void SocketConnection::fail(std::string_view reason, LogLevel level) {
  if (!reason.empty()) log(level, reason);
  close();
}

void SocketConnection::close() {
  if (closed()) return;
  const Ptr self(this);
  error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  end_handshake();
  transport_.reset();
  count_own();
  tell_if_idle();
  environment_.owner.on_closed(*this);
}

void SocketConnection::log(LogLevel level, std::string_view message) const {
  if (!environment_.logger.enabled(level)) return;
  environment_.logger.log(level, LineKind::connection,
                          "connection from " + peer_ + ": " + std::string(message));
}

}  // namespace extproc::server
