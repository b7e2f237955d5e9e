#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/export.h"

/// Asking other services over HTTP/1.1 from a handler that waits, of the component extproc::client
/// (CMake) or extproc-client (pkg-config), which links OpenSSL.
///
///   client::Client issuer_{{.time = 2s}};                  // a member, for all threads
///   …
///   client::Request request{.url = "https://issuer.example/keys"};
///   const client::Response response = co_await issuer_.send(std::move(request));
///
/// What is awaited is a coroutine of Boost.Asio: in a handler (async.h), in the loader of a Cache,
/// or in a program's own coroutine. A Request has a name there, as above: GCC 12 destroys one that
/// is written into the co_await twice.
namespace extproc::client {

/// Of connections by TLS (1.2 or 1.3), which begin with `https:`.
struct TlsSettings {
  /// PEM files of the authorities that may have signed the server's certificate; empty: those of
  /// the system.
  std::string ca_file{};
  /// PEM files of what is shown to a server that asks for a certificate; both or none.
  std::string certificate_file{};
  std::string key_file{};
  /// The name that is asked for, and that the certificate must be of, in place of the URL's host.
  std::string server_name{};
  /// False: whoever answers is taken for the server. For trying things out.
  bool verify = true;
};

struct Settings {
  /// For finding the address, connecting, and the handshake of TLS; its addresses share it.
  std::chrono::milliseconds connect_time{1'000};
  /// For all of a request, from send() to the last byte of the body.
  std::chrono::milliseconds time{5'000};
  /// How long an unused connection is kept for the next request.
  std::chrono::milliseconds idle_time{30'000};
  /// For each origin (scheme, host and port), of each of the server's threads.
  std::size_t connections = 32;
  /// Origins, of each thread; what has no request under way makes room.
  std::size_t origins = 100;
  /// Requests that wait for one of an origin's connections, of each thread.
  std::size_t waiting = 1'000;
  /// Of a response: status line and headers, and the body. A larger one is a Failure.
  std::size_t head_bytes = std::size_t{64} << 10;
  std::size_t body_bytes = std::size_t{1} << 20;
  TlsSettings tls{};
};

using Header = std::pair<std::string, std::string>;

struct Request {
  std::string method = "GET";
  /// "https://host[:port]/path?query". ASCII, with everything else percent-encoded (http.h). No
  /// user or password, which belong into `authorization`; what is behind a '#' is not sent.
  std::string url{};
  /// Added to `host` and `content-length`, which the client writes; so it does what is about the
  /// connection (`connection`, `transfer-encoding`, `expect`, `te`, `trailer`, `upgrade`), so that
  /// a Failure says who names one of them.
  std::vector<Header> headers{};
  std::string body{};
  /// In place of Settings::time.
  std::optional<std::chrono::milliseconds> time{};
};

/// As it came: redirects are not followed, and no content encoding is asked for or undone.
struct Response {
  unsigned status = 0;
  /// In their order, names as they were written.
  std::vector<Header> headers{};
  std::string body{};

  /// The first value of `name`, in whatever case; nothing where there is none. Of this object.
  EXTPROC_API std::optional<std::string_view> header(std::string_view name) const;
};

enum class Reason : std::uint8_t {
  /// The request cannot be sent as it is; the text says what is wrong.
  request,
  /// The host's name has no address.
  name,
  /// Nobody is there, or refuses.
  connect,
  /// The handshake: a certificate that is not trusted, or of another name.
  tls,
  /// Settings::connect_time or the request's time is over.
  time,
  /// The connection ended before the response did.
  closed,
  /// What came is no HTTP/1.1.
  protocol,
  /// Settings::head_bytes or body_bytes.
  size,
  /// Settings::waiting or origins.
  overloaded,
  /// The Client has been destroyed.
  shut_down,
};

/// There is no response. The text names the origin, and no part of the URL beyond it.
class EXTPROC_API Failure : public std::runtime_error {
 public:
  Failure(Reason reason, const std::string& text, bool sent = false)
      : std::runtime_error(text), reason_(reason), sent_(sent) {}

  Reason reason() const { return reason_; }
  /// Whether the server may have had the request, and done what it says.
  bool sent() const { return sent_; }

 private:
  Reason reason_;
  bool sent_;
};

/// Keeps connections and uses them again.
///
/// Threads: any, at once. A connection belongs to the thread (the executor) whose coroutine made
/// it, so that nothing waits for another thread; the bounds are those of each.
///
/// A connection that the server has closed meanwhile is found out before it is used, as far as that
/// can be known; if it turns out while it is used, GET, HEAD, OPTIONS, PUT and DELETE are sent once
/// more, and other methods fail. Names are looked up with getaddrinfo, in a thread of Boost.Asio:
/// a slow look-up is waited for no longer than connect_time, though others of the same thread wait
/// behind it. The environment's proxies are not asked.
class EXTPROC_API Client {
 public:
  /// Throws Error where a bound is 0, or a file of TlsSettings cannot be read. Files are read here,
  /// and not again.
  explicit Client(Settings settings = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  /// Connections are closed; requests under way fail with Reason::shut_down, each on its thread.
  ~Client();

  /// Throws Failure; and boost::system::system_error of operation_aborted, as every operation of
  /// Asio, once the stream of the handler that waits is over, or the coroutine is cancelled.
  boost::asio::awaitable<Response> send(Request request);
  /// The same of a GET without headers.
  boost::asio::awaitable<Response> get(std::string url);

  class State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace extproc::client
