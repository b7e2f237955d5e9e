#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "admin/http_limits.h"
#include "admin/http_message.h"

namespace extproc::admin {

/// One connection, from its first request to its close. One thread. In a shared_ptr.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  /// Both must outlive it.
  HttpSession(Socket socket, const HttpHandler& handler, const HttpLimits& limits);

  /// Answers requests until the connection is to be closed. It must outlive what it returns.
  boost::asio::awaitable<void> run();
  /// Answers 503, whatever is asked, and closes.
  boost::asio::awaitable<void> refuse();

  /// Since when no request has begun; nothing while one is under way.
  std::optional<std::chrono::steady_clock::time_point> idle_since() const { return idle_since_; }
  /// Since when the request that is under way is read; nothing before it begins, and once all of it
  /// is there.
  std::optional<std::chrono::steady_clock::time_point> reading_since() const {
    return reading_since_;
  }
  void close();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  boost::asio::awaitable<bool> wait_for_request();
  boost::asio::awaitable<bool> read_request(Parser& parser);
  boost::asio::awaitable<boost::beast::error_code> read_all(Parser& parser);
  boost::asio::awaitable<boost::beast::error_code> tell_to_continue(const Parser& parser);
  boost::asio::awaitable<bool> answer(const Parser& parser);
  boost::asio::awaitable<bool> fail(boost::beast::error_code error, bool in_line);
  boost::asio::awaitable<bool> send(HttpResponse response, bool keep_alive, bool head);
  boost::asio::awaitable<void> end();
  void expire_after(std::chrono::milliseconds time);

  Socket socket_;
  const HttpHandler& handler_;
  const HttpLimits& limits_;
  boost::asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  std::optional<std::chrono::steady_clock::time_point> idle_since_;
  std::optional<std::chrono::steady_clock::time_point> reading_since_;
  /// Which call of expire_after() counts.
  std::uint64_t alarm_ = 0;
  bool timed_out_ = false;
};

}  // namespace extproc::admin
