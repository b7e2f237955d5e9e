#include "admin/http_listener.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <list>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "admin/http_session.h"
#include "base/unique_fd.h"

namespace extproc::admin {
namespace {

namespace asio = boost::asio;
using asio::generic::stream_protocol;
using Acceptor = asio::basic_socket_acceptor<stream_protocol>;

/// Those that are answered 503 and stand besides the ones that the limit allows; any more are
/// closed without a word.
constexpr std::size_t kRefusing = 16;
/// How long accepting rests where the process is out of file descriptors.
constexpr std::chrono::milliseconds kRest{100};

/// The same socket by a descriptor that the acceptor may close.
UniqueFd copy_of(int socket) {
  UniqueFd copy(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
  if (!copy) throw std::system_error(errno, std::generic_category(), "a listening socket");
  return copy;
}

int family_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return address.ss_family;
}

}  // namespace

class HttpListener::Impl {
 public:
  Impl(std::span<const int> sockets, HttpHandler handler, HttpLimits limits)
      : handler_(std::move(handler)), limits_(limits) {
    for (const int socket : sockets) {
      UniqueFd copy = copy_of(socket);
      acceptors_.emplace_back(io_).assign({family_of(socket), 0}, copy.get());
      copy.release();
    }
  }
  ~Impl() { stop(); }

  void start() {
    for (Acceptor& acceptor : acceptors_) asio::co_spawn(io_, accept_on(acceptor), asio::detached);
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "extproc-http");
  }

  void stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  using Sessions = std::list<std::shared_ptr<HttpSession>>;

  void run() {
    while (!io_.stopped()) {
      try {
        io_.run();
        // NOLINTNEXTLINE(bugprone-empty-catch): memory for one connection; the others go on
      } catch (const std::exception&) {
      }
    }
  }

  asio::awaitable<void> accept_on(Acceptor& acceptor) {
    asio::steady_timer rest(io_);
    while (acceptor.is_open()) {
      boost::system::error_code error;
      HttpSession::Socket socket =
          co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (!error) {
        open(std::move(socket));
      } else if (error == asio::error::no_descriptors || error.value() == ENFILE ||
                 error.value() == ENOMEM || error.value() == ENOBUFS) {
        rest.expires_after(kRest);
        co_await rest.async_wait(asio::redirect_error(asio::use_awaitable, error));
      }
    }
  }

  void open(HttpSession::Socket socket) {
    if (sessions_.size() < limits_.connections || make_room()) {
      asio::co_spawn(io_, run_in(sessions_, std::move(socket), &HttpSession::run), asio::detached);
    } else if (refused_.size() < kRefusing) {
      asio::co_spawn(io_, run_in(refused_, std::move(socket), &HttpSession::refuse),
                     asio::detached);
    }
  }

  /// Ends the one that has been idle for the longest time; where none is, the one that has been
  /// reading its request for the longest, so that many that never end theirs keep nobody out.
  bool make_room() {
    HttpSession* longest = first_since(&HttpSession::idle_since);
    if (longest == nullptr) longest = first_since(&HttpSession::reading_since);
    if (longest == nullptr) return false;
    longest->close();
    return true;
  }

  using Since = std::optional<std::chrono::steady_clock::time_point> (HttpSession::*)() const;

  /// Null where there is none.
  HttpSession* first_since(Since since) const {
    HttpSession* first = nullptr;
    for (const auto& each : sessions_) {
      const auto its = (each.get()->*since)();
      if (its && (first == nullptr || *its < *(first->*since)())) first = each.get();
    }
    return first;
  }

  asio::awaitable<void> run_in(Sessions& sessions, HttpSession::Socket socket,
                               asio::awaitable<void> (HttpSession::*what)()) {
    const auto session = std::make_shared<HttpSession>(std::move(socket), handler_, limits_);
    const auto place = sessions.insert(sessions.end(), session);
    try {
      co_await ((*session).*what)();
    } catch (const std::exception&) {
      session->close();
    }
    sessions.erase(place);
  }

  const HttpHandler handler_;
  const HttpLimits limits_;
  asio::io_context io_{1};
  std::list<Acceptor> acceptors_;
  Sessions sessions_;
  Sessions refused_;
  std::thread thread_;
};

HttpListener::HttpListener(std::span<const int> sockets, HttpHandler handler, HttpLimits limits)
    : impl_(std::make_unique<Impl>(sockets, std::move(handler), limits)) {}
HttpListener::~HttpListener() = default;

void HttpListener::start() { impl_->start(); }
void HttpListener::stop() { impl_->stop(); }

}  // namespace extproc::admin
