// How a connection is made: the name, the addresses, the handshake of TLS, all in one time.
#include "blocks/client/channel.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <string>

namespace extproc::client {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

[[noreturn]] void throw_aborted() {
  throw boost::system::system_error(asio::error::make_error_code(asio::error::operation_aborted));
}

[[noreturn]] void throw_late(const Origin& origin) {
  throw Failure(Reason::time, "no connection to " + origin.text() + " in time");
}

}  // namespace

/// Kept by its operation, which cannot be ended: nobody waits for it longer than they want to.
struct Channel::Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), timer(executor) {}

  tcp::resolver resolver;
  asio::steady_timer timer;
  bool done = false;
  error_code error{};
  Endpoints endpoints{};
};

void Channel::throw_if_closed() const {
  if (closed_) throw_aborted();
}

asio::awaitable<void> Channel::open(const Origin& origin, std::shared_ptr<Tls> tls, Time until) {
  const Endpoints endpoints = co_await find(origin, until);
  co_await connect(origin, endpoints, until);
  if (!origin.secure) co_return;
  tls_ = std::move(tls);
  co_await shake_hands(origin, until);
}

asio::awaitable<Channel::Endpoints> Channel::find(const Origin& origin, Time until) {
  error_code error;
  const auto address = asio::ip::make_address(origin.host, error);
  if (!error) co_return Endpoints{{address, origin.port}};

  const auto lookup = std::make_shared<Lookup>(get_executor());
  lookup_ = lookup;
  lookup->timer.expires_at(until);
  lookup->resolver.async_resolve(
      origin.host, std::to_string(origin.port), tcp::resolver::numeric_service,
      [lookup](const error_code& failure, const tcp::resolver::results_type& results) {
        lookup->done = true;
        lookup->error = failure;
        for (const auto& result : results) lookup->endpoints.push_back(result.endpoint());
        lookup->timer.cancel();
      });
  error_code woken;
  co_await lookup->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  lookup_.reset();
  throw_if_closed();
  if (!lookup->done) {
    lookup->resolver.cancel();
    if (woken) throw_aborted();
    throw_late(origin);
  }
  if (lookup->error || lookup->endpoints.empty()) {
    throw Failure(Reason::name,
                  "the name of " + origin.text() + " has no address: " + lookup->error.message());
  }
  co_return lookup->endpoints;
}

asio::awaitable<void> Channel::connect(const Origin& origin, const Endpoints& endpoints,
                                       Time until) {
  error_code error;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    // One that says nothing leaves the others their part of the time.
    const auto now = std::chrono::steady_clock::now();
    if (now >= until) throw_late(origin);
    plain_.expires_at(now + (until - now) / (endpoints.size() - i));
    co_await plain_.async_connect(endpoints[i], asio::redirect_error(asio::use_awaitable, error));
    throw_if_closed();
    if (!error) {
      error_code ignored;
      plain_.socket().set_option(tcp::no_delay(true), ignored);
      co_return;
    }
    if (error == asio::error::operation_aborted) throw_aborted();
    if (i + 1 < endpoints.size()) plain_.close();
  }
  if (error == boost::beast::error::timeout) throw_late(origin);
  throw Failure(Reason::connect, "no connection to " + origin.text() + ": " + error.message());
}

asio::awaitable<void> Channel::shake_hands(const Origin& origin, Time until) {
  secure_.emplace(plain_, tls_->context);
  SSL* const ssl = secure_->native_handle();
  const std::string& name =
      tls_->settings.server_name.empty() ? origin.host : tls_->settings.server_name;
  error_code no_address;
  asio::ip::make_address(name, no_address);
  const bool is_address = !no_address;
  if (is_address) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl, name.c_str());
    SSL_set1_host(ssl, name.c_str());
  }
  plain_.expires_at(until);
  error_code error;
  co_await secure_->async_handshake(asio::ssl::stream_base::client,
                                    asio::redirect_error(asio::use_awaitable, error));
  throw_if_closed();
  if (!error) co_return;
  if (error == asio::error::operation_aborted) throw_aborted();
  if (error == boost::beast::error::timeout) throw_late(origin);
  std::string text = "TLS with " + origin.text() + ": " + error.message();
  const long verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK) {
    text.append(": ").append(X509_verify_cert_error_string(verified));
  }
  throw Failure(Reason::tls, text);
}

bool Channel::is_quiet() {
  if (closed_ || !plain_.socket().is_open()) return false;
  char byte = 0;
  return ::recv(plain_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Channel::close() noexcept {
  closed_ = true;
  if (lookup_) lookup_->timer.cancel();
  plain_.close();
}

}  // namespace extproc::client
