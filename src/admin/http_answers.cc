#include "admin/http_answers.h"

#include <boost/beast/http/error.hpp>
#include <utility>

namespace extproc::admin {
namespace {

namespace http = boost::beast::http;

std::string_view field(const HttpMessage& message, http::field name) {
  const auto value = message[name];
  return {value.data(), value.size()};
}

std::string bytes_text(std::size_t bytes) { return std::to_string(bytes) + " bytes"; }

}  // namespace

HttpResponse refusal(unsigned status, std::string text) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(text) + "\n";
  return response;
}

std::optional<HttpResponse> refusal_of(boost::beast::error_code error, bool in_line,
                                       const HttpLimits& limits) {
  if (error == http::error::end_of_stream || error == http::error::partial_message)
    return std::nullopt;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    if (in_line)
      return refusal(414, "the target is longer than " + bytes_text(limits.target_bytes));
    return refusal(431, "the headers are longer than " + bytes_text(limits.head_bytes));
  }
  if (error == http::error::body_limit)
    return refusal(413, "the body is longer than " + bytes_text(limits.body_bytes));
  if (error == http::error::bad_version) return refusal(505, "HTTP/1.1 is spoken here");
  // All others of its own are about bytes that are no HTTP; the rest are the socket's.
  if (error.category() != http::make_error_code(http::error::bad_method).category())
    return std::nullopt;
  return refusal(400, "this is no HTTP/1.1 request: " + error.message());
}

std::optional<HttpResponse> refuse_head(const HttpMessage& message, const HttpLimits& limits) {
  const auto method = message.method();
  if (method != http::verb::get && method != http::verb::head && method != http::verb::post) {
    HttpResponse response = refusal(405, "the method must be GET, HEAD or POST");
    response.headers.emplace_back("Allow", "GET, HEAD, POST");
    return response;
  }
  if (message.target().size() > limits.target_bytes)
    return refusal(414, "the target is longer than " + bytes_text(limits.target_bytes));
  if (!message.target().starts_with('/'))
    return refusal(400, "the target must be a path, which begins with \"/\"");
  const std::size_t hosts = message.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && message.version() >= 11))
    return refusal(400, "there must be one Host header");
  if (message.count(http::field::origin) > 1)
    return refusal(400, "there must be one Origin header at most");
  return std::nullopt;
}

HttpRequest request_of(const HttpMessage& message) {
  HttpRequest request;
  const std::string_view target(message.target().data(), message.target().size());
  const std::size_t question = target.find('?');
  request.method = message.method() == http::verb::post ? "POST" : "GET";
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  request.host = field(message, http::field::host);
  request.origin = field(message, http::field::origin);
  const auto site = message["Sec-Fetch-Site"];
  request.fetch_site = {site.data(), site.size()};
  request.accept = field(message, http::field::accept);
  request.content_type = field(message, http::field::content_type);
  request.body = message.body();
  return request;
}

}  // namespace extproc::admin
