// What SocketConnection writes: one event's output at once, and what the socket did not take once
// it does.
#include <array>
#include <boost/asio/buffer.hpp>
#include <span>
#include <utility>

#include "base/recycle.h"
#include "server/socket_connection.h"

namespace extproc::server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kOutputSize = std::size_t{256} << 10;
/// As many as Asio hands to the kernel at once.
constexpr std::size_t kPiecesPerWrite = 64;

}  // namespace

std::size_t SocketConnection::send(const http2::Output& output) {
  std::array<asio::const_buffer, kPiecesPerWrite> pieces;
  std::size_t count = 0;
  std::size_t bytes = 0;
  std::size_t sent = 0;
  bool full = false;
  const auto send_them = [&] {
    if (!full) {
      const std::size_t taken = send(std::span<const asio::const_buffer>(pieces.data(), count));
      full = taken < bytes;
      sent += taken;
    }
    count = bytes = 0;
  };
  output.for_each_piece([&](std::string_view piece) {
    pieces[count++] = asio::buffer(piece);
    bytes += piece.size();
    if (count == pieces.size()) send_them();
  });
  if (count > 0) send_them();
  return sent;
}

std::size_t SocketConnection::send(std::string_view bytes) {
  const asio::const_buffer buffer = asio::buffer(bytes);
  return send(std::span(&buffer, 1));
}

std::size_t SocketConnection::send(std::span<const asio::const_buffer> buffers) {
  error_code error;
  const std::size_t sent = socket_.write_some(buffers, error);
  if (!error) return sent;
  if (!not_ready(error)) fail(error.message(), LogLevel::debug);
  return 0;
}

/// Returns how many bytes there were; those that the socket did not take are in `unsent_` then.
std::size_t SocketConnection::write_some_output() {
  http2::Output& output = environment_.output;
  // An exception may have left another connection's.
  output.clear();
  transport_->take_output(output, kOutputSize);
  const std::size_t bytes = output.size();
  if (secure_ != nullptr) {
    if (bytes != 0) send_secure(output);
  } else if (const std::size_t sent = bytes == 0 ? 0 : send(output); sent < bytes && !closed()) {
    output.copy_to(unsent_, sent);
    count_own();
  }
  output.clear();
  return bytes;
}

void SocketConnection::flush() {
  if (closed() || !transport_ || in_handshake()) return;
  // While the socket is full, what waits stays in the transport, where it counts against its
  // limits.
  waiting_writable_ ? transport_->tell_held() : write_output();
  tell_if_idle();
}

void SocketConnection::write_output() {
  bool all = false;
  for (int i = 0; i < kBuffersPerEvent && !all && unsent_.empty(); ++i) {
    all = write_some_output() < kOutputSize;
    if (closed()) return;
  }
  if (!all || !unsent_.empty()) {
    if (!waiting_writable_) wait_writable();
  } else if (refused_ || transport_->finished()) {
    linger();
  }
}

void SocketConnection::on_writable() {
  waiting_writable_ = false;
  if (!transport_) return;
  if (!unsent_.empty()) {
    const std::size_t sent = send(std::string_view(unsent_));
    if (closed()) return;
    if (sent < unsent_.size()) {
      unsent_.erase(0, sent);
      return wait_writable();
    }
    release(unsent_);
    count_own();
  }
  read_while_full_ = 0;
  if (std::exchange(reading_paused_, false)) wait_readable();
  after_event();
}

}  // namespace extproc::server
