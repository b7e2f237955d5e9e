#include "trace/http_post.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/error_code.hpp>
#include <charconv>
#include <string_view>
#include <utility>

#include "extproc/version.h"

namespace extproc::trace {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::uint64_t kMostOfResponse = std::uint64_t{64} << 10;
constexpr std::uint32_t kMostOfHeaders = std::uint32_t{16} << 10;
constexpr unsigned kVersion = 11;

std::optional<std::chrono::seconds> seconds_in(std::string_view text) {
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace

struct HttpPoster::Connection {
  explicit Connection(asio::io_context& io) : stream(io) {}

  beast::tcp_stream stream;
  beast::flat_buffer read;
  bool used = false;
};

HttpPoster::HttpPoster(asio::io_context& io, const TraceSettings& settings)
    : io_(io),
      endpoint_(parse_endpoint("TraceSettings::endpoint", settings.endpoint)),
      headers_(settings.headers),
      timeout_(settings.timeout) {}

HttpPoster::~HttpPoster() = default;

void HttpPoster::close() {
  closed_ = true;
  if (connection_ != nullptr) connection_->stream.close();
}

asio::awaitable<Posted> HttpPoster::post(std::string body) {
  const bool reused = connection_ != nullptr;
  if (!reused) {
    std::string failure = co_await connect();
    if (!failure.empty()) co_return Posted{.failure = std::move(failure)};
  }
  Posted posted = co_await exchange(body);
  if (posted.status != 0 || !reused) co_return posted;
  // The other side may have closed what was idle.
  std::string failure = co_await connect();
  if (!failure.empty()) co_return Posted{.failure = std::move(failure)};
  posted = co_await exchange(body);
  co_return posted;
}

// What is wrong, or nothing.
asio::awaitable<std::string> HttpPoster::connect() {
  connection_.reset();
  if (closed_) co_return std::string("it is over");
  tcp::resolver resolver(io_);
  auto [unknown, addresses] =
      co_await resolver.async_resolve(endpoint_.host, endpoint_.port, kAsTuple);
  if (unknown) co_return unknown.message();
  if (closed_) co_return std::string("it is over");
  auto connection = std::make_unique<Connection>(io_);
  connection->stream.expires_after(timeout_);
  // For close().
  connection_ = std::move(connection);
  auto [refused, address] = co_await connection_->stream.async_connect(addresses, kAsTuple);
  if (!refused) co_return std::string();
  connection_.reset();
  co_return refused.message();
}

asio::awaitable<Posted> HttpPoster::exchange(const std::string& body) {
  http::request<http::span_body<const char>> request(http::verb::post, endpoint_.target, kVersion);
  for (const auto& [name, value] : headers_) request.insert(name, value);
  request.set(http::field::host, endpoint_.host_header);
  request.set(http::field::user_agent, "extproc/" EXTPROC_VERSION_STRING);
  request.set(http::field::content_type, "application/x-protobuf");
  request.body() = beast::span<const char>(body.data(), body.size());
  request.prepare_payload();

  Connection& its = *connection_;
  its.stream.expires_after(timeout_);
  auto [unsent, sent] = co_await http::async_write(its.stream, request, kAsTuple);
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMostOfResponse);
  parser.header_limit(kMostOfHeaders);
  boost::system::error_code failed = unsent;
  // What did not take all of it may have said why.
  if (!unsent || unsent == http::error::end_of_stream) {
    auto [unread, read] = co_await http::async_read(its.stream, its.read, parser, kAsTuple);
    failed = unread;
  }
  if (failed) {
    connection_.reset();
    co_return Posted{.failure = failed.message()};
  }
  auto response = parser.release();
  Posted posted{.status = response.result_int(), .body = std::move(response.body())};
  const auto after = response.find(http::field::retry_after);
  if (after != response.end())
    posted.retry_after = seconds_in({after->value().data(), after->value().size()});
  if (!response.keep_alive()) connection_.reset();
  co_return posted;
}

}  // namespace extproc::trace
