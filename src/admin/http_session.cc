#include "admin/http_session.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <exception>
#include <string>
#include <utility>

#include "admin/http_answers.h"

namespace extproc::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Clock = std::chrono::steady_clock;

/// Read at once, in bytes.
constexpr std::size_t kRead = std::size_t{4} << 10;
/// After the last answer a client may have sent more, which is read and dropped: closing on top of
/// it could take the answer away from the client.
constexpr std::chrono::milliseconds kLingerTime{1'000};
constexpr std::size_t kLingerBytes = std::size_t{1} << 20;

template <class Body>
http::response<Body> head_of(const HttpResponse& response, bool keep_alive) {
  http::response<Body> message{static_cast<http::status>(response.status), 11};
  message.set(http::field::content_type, response.content_type);
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : response.headers) message.set(name, value);
  message.keep_alive(keep_alive);
  message.content_length(response.body.size());
  return message;
}

}  // namespace

HttpSession::HttpSession(Socket socket, const HttpHandler& handler, const HttpLimits& limits)
    : socket_(std::move(socket)),
      handler_(handler),
      limits_(limits),
      timer_(socket_.get_executor()),
      buffer_(limits.head_bytes + kRead) {}

void HttpSession::close() {
  boost::system::error_code ignored;
  idle_since_.reset();
  reading_since_.reset();
  timer_.cancel();
  socket_.close(ignored);
}

// What waits on the socket ends with operation_aborted.
void HttpSession::expire_after(std::chrono::milliseconds time) {
  timed_out_ = false;
  timer_.expires_after(time);
  // It may be on its way when another time is set, and when the session is gone.
  timer_.async_wait(
      [weak = weak_from_this(), alarm = ++alarm_](const boost::system::error_code& error) {
        const auto session = weak.lock();
        if (error || session == nullptr || session->alarm_ != alarm) return;
        session->timed_out_ = true;
        boost::system::error_code ignored;
        session->socket_.cancel(ignored);
      });
}

asio::awaitable<void> HttpSession::run() {
  bool more = true;
  while (more) {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
    parser.body_limit(limits_.body_bytes);
    more = co_await wait_for_request();
    if (more) more = co_await read_request(parser);
    if (more) more = co_await answer(parser);
  }
  close();
}

asio::awaitable<void> HttpSession::refuse() {
  HttpResponse busy = refusal(503, "too many connections are open here: try again later");
  const bool sent = co_await send(std::move(busy), false, false);
  if (sent) co_await end();
  close();
}

asio::awaitable<bool> HttpSession::wait_for_request() {
  if (buffer_.size() > 0) co_return true;
  idle_since_ = Clock::now();
  expire_after(limits_.idle_time);
  beast::error_code error;
  const std::size_t bytes = co_await socket_.async_read_some(
      buffer_.prepare(kRead), asio::redirect_error(asio::use_awaitable, error));
  idle_since_.reset();
  buffer_.commit(bytes);
  co_return !error;
}

asio::awaitable<bool> HttpSession::read_request(Parser& parser) {
  expire_after(limits_.request_time);
  reading_since_ = Clock::now();
  const beast::error_code error = co_await read_all(parser);
  reading_since_.reset();
  // Another one was given its place.
  if (!socket_.is_open()) co_return false;
  if (!error) co_return true;
  const bool more = co_await fail(error, parser.get().target().empty());
  co_return more;
}

asio::awaitable<beast::error_code> HttpSession::read_all(Parser& parser) {
  beast::error_code error;
  co_await http::async_read_header(socket_, buffer_, parser,
                                   asio::redirect_error(asio::use_awaitable, error));
  if (!error) error = co_await tell_to_continue(parser);
  if (error) co_return error;
  co_await http::async_read(socket_, buffer_, parser,
                            asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

asio::awaitable<beast::error_code> HttpSession::tell_to_continue(const Parser& parser) {
  const bool waits = beast::iequals(parser.get()[http::field::expect], "100-continue");
  // What is too large is not worth waiting for.
  const bool too_large = parser.content_length().value_or(0) > limits_.body_bytes;
  if (!waits || too_large) co_return beast::error_code();
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  beast::error_code error;
  co_await asio::async_write(socket_, asio::buffer(kContinue),
                             asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

asio::awaitable<bool> HttpSession::answer(const Parser& parser) {
  const auto& message = parser.get();
  const bool head = message.method() == http::verb::head;
  HttpResponse response;
  if (auto refused = refuse_head(message, limits_)) {
    response = std::move(*refused);
  } else {
    try {
      response = handler_(request_of(message));
    } catch (const std::exception& error) {
      response = refusal(500, std::string("the page could not be made: ") + error.what());
    }
  }
  const bool keep_alive = message.keep_alive();
  const bool sent = co_await send(std::move(response), keep_alive, head);
  if (sent && !keep_alive) co_await end();
  co_return sent&& keep_alive;
}

asio::awaitable<bool> HttpSession::fail(beast::error_code error, bool in_line) {
  auto answer = timed_out_ ? refusal(408, "the request was not complete in time")
                           : refusal_of(error, in_line, limits_);
  if (!answer) co_return false;
  const bool sent = co_await send(std::move(*answer), false, false);
  if (sent) co_await end();
  co_return false;
}

asio::awaitable<bool> HttpSession::send(HttpResponse response, bool keep_alive, bool head) {
  beast::error_code error;
  expire_after(limits_.answer_time);
  if (head) {
    auto message = head_of<http::empty_body>(response, keep_alive);
    co_await http::async_write(socket_, message, asio::redirect_error(asio::use_awaitable, error));
  } else {
    auto message = head_of<http::string_body>(response, keep_alive);
    message.body() = std::move(response.body);
    co_await http::async_write(socket_, message, asio::redirect_error(asio::use_awaitable, error));
  }
  co_return !error;
}

asio::awaitable<void> HttpSession::end() {
  beast::error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  expire_after(kLingerTime);
  std::array<char, kRead> dropped;
  std::size_t bytes = 0;
  while (!error && bytes < kLingerBytes) {
    const std::size_t more = co_await socket_.async_read_some(
        asio::buffer(dropped), asio::redirect_error(asio::use_awaitable, error));
    bytes += more;
  }
}

}  // namespace extproc::admin
