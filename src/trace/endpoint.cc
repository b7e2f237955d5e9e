#include "trace/endpoint.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "extproc/error.h"

namespace extproc::trace {
namespace {

/// A user and a password are nobody's business; a password may have any marks.
std::string without_user(std::string_view url) {
  const std::size_t at = url.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  const std::size_t slashes = url.substr(0, at).find("//");
  const std::size_t begin = slashes == std::string_view::npos ? 0 : slashes + 2;
  return std::string(url.substr(0, begin)) + "..." + std::string(url.substr(at));
}

[[noreturn]] void refuse_url(std::string_view source, std::string_view url) {
  throw Error(std::string(source) + " is \"" + without_user(url) +
              "\": it must be a URL, as in \"http://localhost:4318/v1/traces\", without a user, a "
              "password or a fragment");
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

Endpoint parse_endpoint(std::string_view source, std::string_view url) {
  constexpr std::string_view kClear = "http://";
  constexpr std::string_view kSecure = "https://";
  Endpoint endpoint;
  std::string_view rest = url;
  if (rest.starts_with(kClear)) {
    rest.remove_prefix(kClear.size());
  } else if (rest.starts_with(kSecure)) {
    rest.remove_prefix(kSecure.size());
    endpoint.secure = true;
  } else {
    refuse_url(source, url);
  }
  const auto is_plain = [](char c) { return c > ' ' && c <= '~' && c != '@' && c != '#'; };
  if (!std::ranges::all_of(rest, is_plain)) refuse_url(source, url);
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, path);
  endpoint.host_header = authority;
  endpoint.target = rest.substr(path);
  if (endpoint.target.empty() || endpoint.target.front() == '?') endpoint.target.insert(0, "/");

  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string_view::npos) refuse_url(source, url);
  const std::size_t colon = authority.find(':', bracket);
  std::string_view host = authority.substr(0, colon);
  if (bracket != 0) {
    if (host.back() != ']') refuse_url(source, url);
    host = host.substr(1, host.size() - 2);
  }
  endpoint.host = host;
  endpoint.port = endpoint.secure ? "443" : "80";
  if (colon != std::string_view::npos) endpoint.port = authority.substr(colon + 1);
  if (host.empty() || !is_port(endpoint.port)) refuse_url(source, url);
  return endpoint;
}

}  // namespace extproc::trace
