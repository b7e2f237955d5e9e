// What SocketConnection does where its bytes are those of TLS. Steps of the handshake are taken in
// turn with all else that the thread does, since each may take as long as a thousand messages.
#include <algorithm>
#include <utility>

#include "server/socket_connection.h"

namespace extproc::server {

using State = SecureSession::State;

void SocketConnection::begin_handshake() {
  secure_ = environment_.transport->open(environment_.secure);
  handshake_ = true;
  environment_.owner.on_handshake(*this, true);
}

void SocketConnection::end_handshake() {
  if (std::exchange(handshake_, false)) environment_.owner.on_handshake(*this, false);
}

void SocketConnection::continue_handshake() {
  if (closed() || !in_handshake()) return;
  const Ptr self(this);
  last_read_ = Clock::now();
  receive_secure({first_input_.data(), std::exchange(handshake_bytes_, 0)});
  if (closed()) return;
  if (!in_handshake()) after_event();
  if (!closed()) wait_readable();
}

void SocketConnection::give_up_handshake() {
  tell_failed_handshake(
      {"its TLS handshake is ended, since it has taken longest and more are under way than "
       "Limits::handshakes (--handshakes) allows",
       {}});
  close();
}

/// False where no more is to be read.
bool SocketConnection::receive_secure(std::string_view bytes) {
  secure_->take(bytes);
  if (in_handshake() && secure_->state() == State::open) {
    environment_.counters.tls_handshakes.add();
    transport_->set_peer_certificate(secure_->peer_certificate());
    end_handshake();
    count_own();
  }
  while (secure_->state() == State::open) {
    const std::string_view text = secure_->read();
    if (text.empty()) break;
    if (transport_->receive(text, last_read_)) continue;
    refused_ = true;
    wait_until(last_read_ + kNoticeTime);
    break;
  }
  send_secured();
  if (closed()) return false;
  if (secure_->state() == State::failed) {
    fail_secure();
    return false;
  }
  if (secure_->state() == State::ended) {
    fail_to_read(boost::asio::error::eof);
    return false;
  }
  return !refused_;
}

/// As few records as there can be, and one write.
void SocketConnection::send_secure(const http2::Output& output) {
  std::vector<char>& record = environment_.secure.text;
  std::size_t filled = 0;
  const auto write = [&] { secure_->write({record.data(), std::exchange(filled, 0)}); };
  output.for_each_piece([&](std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t size = std::min(piece.size(), record.size() - filled);
      std::copy_n(piece.data(), size, record.data() + filled);
      filled += size;
      piece.remove_prefix(size);
      if (filled == record.size()) write();
    }
  });
  if (filled > 0) write();
  send_secured();
}

void SocketConnection::send_secured() {
  std::string& out = environment_.secure.out;
  if (out.empty()) return;
  const bool must_wait = waiting_writable_ || !unsent_.empty();
  const std::size_t sent = must_wait ? 0 : send(std::string_view(out));
  if (sent < out.size() && !closed()) {
    unsent_.append(out, sent);
    count_own();
    if (!waiting_writable_) wait_writable();
  }
  out.clear();
}

/// The peer is told why by what was sent before.
void SocketConnection::fail_secure() {
  if (in_handshake()) {
    tell_failed_handshake(secure_->failure());
  } else {
    log(LogLevel::debug, secure_->failure().text);
  }
  linger();
}

void SocketConnection::tell_failed_handshake(const SecureFailure& failure) {
  environment_.counters.tls_handshakes_failed.add();
  const bool first = environment_.told.first(failure.kind);
  const std::string& text = failure.text.empty() ? failure.kind : failure.text;
  log(first ? LogLevel::warning : LogLevel::debug,
      text + (first ? ". This kind is logged once" : ""));
}

}  // namespace extproc::server
