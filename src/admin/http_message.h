#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace extproc::admin {

/// What somebody asks for over HTTP; its views are valid during the call that hands it over. What
/// was not sent is empty.
struct HttpRequest {
  /// "GET" also where it was HEAD, whose answer is sent without its body; or "POST".
  std::string_view method;
  /// What stands before the question mark, as it was sent; begins with "/".
  std::string_view path;
  /// What stands behind it.
  std::string_view query;
  std::string_view host;
  std::string_view origin;
  /// Sec-Fetch-Site, which browsers send: from where a page asks.
  std::string_view fetch_site;
  std::string_view accept;
  std::string_view content_type;
  std::string_view body;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body{};
  /// Besides Content-Type, Content-Length and what goes with every answer.
  std::vector<std::pair<std::string, std::string>> headers{};
};

/// Answers a request; one call at a time. What it throws is answered with 500.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

}  // namespace extproc::admin
