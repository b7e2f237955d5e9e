#include "server/listener.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

#include "server/listen_address.h"
#include "server/passed_sockets.h"

namespace extproc::server {
namespace {

/// Connections accepted in a row before other events have their turn.
constexpr int kAcceptsPerEvent = 64;
/// How long accepting rests where the process is out of file descriptors.
constexpr std::chrono::milliseconds kPause{100};

namespace asio = boost::asio;

}  // namespace

/// One listening socket.
class Listener::Acceptor {
 public:
  Acceptor(asio::io_context& io, const Logger& logger, const OnAccept& on_accept,
           const std::function<void()>& on_exhausted, BoundSocket bound)
      : logger_(logger),
        on_accept_(on_accept),
        on_exhausted_(on_exhausted),
        bound_(std::move(bound)),
        ready_(io, bound_->fd()),
        pause_(io) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(bound_->fd(), reinterpret_cast<sockaddr*>(&address), &size);
    protocol_ = {address.ss_family, address.ss_family == AF_UNIX ? 0 : IPPROTO_TCP};
    address_ = describe(address, size);
  }

  ~Acceptor() { close(); }

  /// Handlers that are on their way find it closed; it is destroyed after them.
  void close() {
    if (!bound_) return;
    pause_.cancel();
    // The descriptor belongs to the bound socket.
    ready_.release();
    bound_.reset();
  }

  const std::string& address() const { return address_; }

  void wait() {
    ready_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code& error) {
                        if (!error && bound_) accept_waiting();
                      });
  }

 private:
  void accept_waiting() {
    for (int i = 0; i < kAcceptsPerEvent; ++i) {
      sockaddr_storage peer{};
      socklen_t size = sizeof peer;
      UniqueFd fd(::accept4(bound_->fd(), reinterpret_cast<sockaddr*>(&peer), &size,
                            SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd) {
        failing_ = false;
        on_accept_({std::move(fd), protocol_, describe(peer, size)});
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      // The connection itself has failed before it was accepted.
      if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == EPERM) continue;
      return rest(errno);
    }
    wait();
  }

  void rest(int reason) {
    if (!failing_) {
      failing_ = true;
      logger_.log(LogLevel::error, LineKind::connection,
                  address_ + ": cannot accept connections, trying again: " + std::strerror(reason));
    }
    if (reason == EMFILE) on_exhausted_();
    pause_.expires_after(kPause);
    pause_.async_wait([this](const boost::system::error_code& error) {
      if (!error && bound_) wait();
    });
  }

  const Logger& logger_;
  const OnAccept& on_accept_;
  const std::function<void()>& on_exhausted_;
  std::optional<BoundSocket> bound_;
  asio::posix::stream_descriptor ready_;
  asio::steady_timer pause_;
  asio::generic::stream_protocol protocol_{AF_UNSPEC, 0};
  std::string address_;
  bool failing_ = false;
};

Listener::Listener(asio::io_context& io, const Logger& logger, std::vector<BoundSocket> sockets) {
  const ListenAddress first = bound_address(sockets.front().fd());
  for (BoundSocket& bound : sockets) {
    acceptors_.push_back(
        std::make_unique<Acceptor>(io, logger, on_accept_, on_exhausted_, std::move(bound)));
  }
  address_ = to_string(first);
  if (const auto* tcp = std::get_if<TcpAddress>(&first)) port_ = tcp->port;
}

Listener::~Listener() = default;

void Listener::start(OnAccept on_accept, std::function<void()> on_exhausted) {
  on_accept_ = std::move(on_accept);
  on_exhausted_ = std::move(on_exhausted);
  for (const auto& acceptor : acceptors_) acceptor->wait();
}

void Listener::close() {
  for (const auto& acceptor : acceptors_) acceptor->close();
}

}  // namespace extproc::server
