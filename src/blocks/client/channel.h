#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "blocks/client/target.h"
#include "blocks/client/tls.h"

namespace extproc::client {

/// A connection, in clear or over TLS; a stream as Boost.Asio and Boost.Beast have it. Used on its
/// loop.
class Channel {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using executor_type = boost::asio::any_io_executor;

  explicit Channel(const boost::asio::any_io_executor& executor) : plain_(executor) {}

  /// `tls` is for secure origins. It outlives the call. Throws Failure, and operation_aborted where
  /// it is closed or cancelled meanwhile.
  boost::asio::awaitable<void> open(const Origin& origin, std::shared_ptr<Tls> tls, Time until);

  /// What is read or written ends with beast::error::timeout then.
  void set_deadline(Time time) { plain_.expires_at(time); }
  void clear_deadline() { plain_.expires_never(); }
  /// Nothing has come that nobody asked for, the end neither.
  bool is_quiet();
  /// What is under way fails with operation_aborted.
  void close() noexcept;

  executor_type get_executor() { return plain_.get_executor(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (secure_) return secure_->async_read_some(buffers, std::forward<Token>(token));
    return plain_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (secure_) return secure_->async_write_some(buffers, std::forward<Token>(token));
    return plain_.async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  struct Lookup;
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

  boost::asio::awaitable<Endpoints> find(const Origin& origin, Time until);
  boost::asio::awaitable<void> connect(const Origin& origin, const Endpoints& endpoints,
                                       Time until);
  boost::asio::awaitable<void> shake_hands(const Origin& origin, Time until);
  void throw_if_closed() const;

  boost::beast::tcp_stream plain_;
  std::shared_ptr<Tls> tls_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> secure_;
  std::shared_ptr<Lookup> lookup_;
  bool closed_ = false;
};

}  // namespace extproc::client
