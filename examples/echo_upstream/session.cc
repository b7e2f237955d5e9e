#include "session.h"

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "reply.h"

namespace echo {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::uint32_t kHeaderLimit = std::uint32_t{64} << 10;
constexpr std::uint64_t kBodyLimit = std::uint64_t{64} << 20;
constexpr std::chrono::minutes kIdleTimeout{10};

using Stream = beast::basic_stream<asio::ip::tcp, asio::io_context::executor_type>;

/// Whether the bytes were not HTTP, as opposed to a connection that ended.
bool is_malformed(beast::error_code error) {
  return error.category() == beast::error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(Stream stream) : stream_(std::move(stream)) {}

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeaderLimit);
    parser_->body_limit(kBodyLimit);
    stream_.expires_after(kIdleTimeout);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       self->on_read(error);
                     });
  }

 private:
  void on_read(beast::error_code error) {
    if (!error) {
      const Request& request = parser_->get();
      write(reply_to(request), request.keep_alive(), request.method() == http::verb::head);
    } else if (error == http::error::body_limit) {
      write(error_reply(http::status::payload_too_large, "the body is larger than 64 MiB"), false,
            false);
    } else if (error == http::error::header_limit) {
      write(error_reply(http::status::request_header_fields_too_large,
                        "the headers are larger than 64 KiB"),
            false, false);
    } else if (is_malformed(error)) {
      write(error_reply(http::status::bad_request, error.message()), false, false);
    } else {
      close();
    }
  }

  void write(Response response, bool keep_alive, bool headers_only) {
    response_ = std::move(response);
    response_.keep_alive(keep_alive);
    auto on_written = [self = shared_from_this(), keep_alive](beast::error_code error,
                                                              std::size_t) {
      if (error || !keep_alive) return self->close();
      self->read();
    };
    serializer_.emplace(response_);
    if (headers_only) {
      http::async_write_header(stream_, *serializer_, std::move(on_written));
    } else {
      http::async_write(stream_, *serializer_, std::move(on_written));
    }
  }

  void close() {
    beast::error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }

  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Response response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
};

}  // namespace

void serve_connection(Socket socket) {
  std::make_shared<Session>(Stream(std::move(socket)))->read();
}

}  // namespace echo
