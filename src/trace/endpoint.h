#pragma once

#include <string>
#include <string_view>

namespace extproc::trace {

/// Where spans are posted to, out of a URL.
struct Endpoint {
  bool secure = false;
  /// Without brackets.
  std::string host;
  std::string port;
  /// The path, with a query where there is one.
  std::string target;
  /// The header of that name.
  std::string host_header;
};

/// Throws Error, which begins with `source`, where `url` is no http:// or https:// URL.
Endpoint parse_endpoint(std::string_view source, std::string_view url);

}  // namespace extproc::trace
