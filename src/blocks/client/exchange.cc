#include "blocks/client/exchange.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/none.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace extproc::client {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Parser = http::response_parser<http::string_body>;

/// What Boost.Beast reads at once, and a chunk's own line may take.
constexpr std::size_t kReadBytes = std::size_t{64} << 10;
/// 103 and its like before the response.
constexpr int kMostInformational = 16;

[[noreturn]] void fail(const Exchange& exchange, const error_code& error) {
  const std::string& origin = exchange.origin.text();
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error == boost::beast::error::timeout) {
    throw Failure(Reason::time, origin + " has not answered in time", true);
  }
  if (error == http::error::header_limit || error == http::error::body_limit ||
      error == http::error::buffer_overflow) {
    throw Failure(Reason::size,
                  "the response of " + origin + " is larger than head_bytes or body_bytes", true);
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error.category() != make_error_code(http::error::bad_version).category()) {
    throw Failure(Reason::closed, "the connection to " + origin + " ended: " + error.message(),
                  true);
  }
  throw Failure(Reason::protocol, origin + " speaks no HTTP/1.1: " + error.message(), true);
}

void set_up(std::optional<Parser>& parser, const Exchange& exchange) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();
  parser.emplace();
  parser->header_limit(static_cast<std::uint32_t>(std::min(exchange.settings.head_bytes, kMost)));
  parser->skip(exchange.without_body);
  // A length that belongs to no body is none too many.
  if (exchange.without_body) {
    parser->body_limit(boost::none);
  } else {
    parser->body_limit(exchange.settings.body_bytes);
  }
}

Response taken_from(Parser& parser) {
  http::response<http::string_body> message = parser.release();
  Response response{.status = message.result_int()};
  for (const auto& field : message.base()) {
    response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  response.body = std::move(message.body());
  return response;
}

}  // namespace

asio::awaitable<void> run(Channel& channel, Exchange& exchange) {
  error_code error;
  co_await asio::async_write(channel, asio::buffer(exchange.request),
                             asio::redirect_error(asio::use_awaitable, error));
  const error_code write_error = error;
  if (error == asio::error::operation_aborted || error == boost::beast::error::timeout) {
    fail(exchange, error);
  }
  // A server that refuses what it has not read may have answered before it closed.
  boost::beast::flat_buffer buffer(exchange.settings.head_bytes + kReadBytes);
  std::optional<Parser> parser;
  for (int count = 0;; ++count) {
    set_up(parser, exchange);
    co_await http::async_read_header(channel, buffer, *parser,
                                     asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      exchange.never_answered = count == 0 && !parser->got_some() && buffer.size() == 0;
      fail(exchange, write_error && exchange.never_answered ? write_error : error);
    }
    if (parser->get().result_int() / 100 != 1) break;
    if (parser->get().result_int() == 101 || count >= kMostInformational) {
      throw Failure(Reason::protocol, exchange.origin.text() + " answered what nobody asked for",
                    true);
    }
  }
  if (!parser->is_done()) {
    co_await http::async_read(channel, buffer, *parser,
                              asio::redirect_error(asio::use_awaitable, error));
    if (error) fail(exchange, error);
  }
  exchange.reusable = !write_error && parser->keep_alive() && buffer.size() == 0;
  exchange.response = taken_from(*parser);
}

}  // namespace extproc::client
