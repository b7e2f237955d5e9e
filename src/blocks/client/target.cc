// What is sent, and where: URLs, and requests as bytes.
#include "blocks/client/target.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace extproc::client {
namespace {

constexpr std::string_view kOwnHeaders[] = {"connection", "content-length",    "expect",
                                            "host",       "keep-alive",        "te",
                                            "trailer",    "transfer-encoding", "upgrade"};

[[noreturn]] void refuse(const std::string& text) { throw Failure(Reason::request, text); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    const bool letter = (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
    return letter || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
}

/// Visible ASCII: what a request line can have.
bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

bool is_host(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    const bool letter = (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
    return letter || c == '-' || c == '.' || c == '_';
  });
}

bool is_address(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.';
  });
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || at != end || port == 0) return std::nullopt;
  return port;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string Origin::text() const {
  const bool bracketed = host.find(':') != std::string::npos;
  return std::string(secure ? "https://" : "http://") + (bracketed ? "[" + host + "]" : host) +
         ":" + std::to_string(port);
}

Target parse_target(std::string_view url) {
  Target target;
  const std::size_t scheme_end = url.find("://");
  const std::string_view scheme = url.substr(0, scheme_end);
  if (scheme_end == std::string_view::npos ||
      !(same_name(scheme, "http") || same_name(scheme, "https"))) {
    refuse("a URL must begin with http:// or https://");
  }
  target.origin.secure = scheme.size() == 5;
  std::string_view rest = url.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, authority_end);
  const std::string_view path = rest.substr(authority_end);
  if (!is_visible(rest)) {
    refuse("a URL must be ASCII without spaces: encode the rest (http::percent_encode)");
  }
  if (authority.find('@') != std::string_view::npos) {
    refuse("a URL must have no user or password: set the header authorization");
  }
  const bool bracketed = authority.starts_with('[');
  const std::size_t bracket = bracketed ? authority.find(']') : 0;
  const std::string_view host =
      bracketed ? authority.substr(1, bracket - 1) : authority.substr(0, authority.find(':'));
  if (bracket == std::string_view::npos || !(bracketed ? is_address(host) : is_host(host))) {
    refuse("the host of a URL must be a name, or an address (of IPv6 in brackets)");
  }
  const std::string_view port =
      authority.substr(std::min(bracketed ? bracket + 1 : host.size(), authority.size()));
  std::uint16_t number = target.origin.secure ? 443 : 80;
  if (port.size() > 1 || !(port.empty() || port == ":")) {
    const auto read = port.starts_with(':') ? port_of(port.substr(1)) : std::nullopt;
    if (!read) refuse("the port of a URL must be from 1 to 65535");
    number = *read;
  }
  target.origin.host.assign(host);
  std::ranges::transform(target.origin.host, target.origin.host.begin(), lower);
  target.origin.port = number;
  target.authority = authority;
  target.path = path.starts_with('/') ? std::string(path) : "/" + std::string(path);
  return target;
}

std::string request_text(const Request& request, const Target& target) {
  if (!is_token(request.method) || request.method == "CONNECT") {
    refuse("the method of a request must be a token, and not CONNECT");
  }
  std::string text = request.method + " " + target.path + " HTTP/1.1\r\nhost: " + target.authority;
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) refuse("the name of a request's header must be a token");
    if (!is_field_value(value)) refuse("the value of the header " + name + " has control bytes");
    if (std::ranges::any_of(kOwnHeaders, [&](auto own) { return same_name(name, own); })) {
      refuse("the header " + name + " is the client's own: leave it out");
    }
    text.append("\r\n").append(name).append(": ").append(value);
  }
  const bool has_body = !request.body.empty() || request.method == "POST" ||
                        request.method == "PUT" || request.method == "PATCH";
  if (has_body) text.append("\r\ncontent-length: ").append(std::to_string(request.body.size()));
  return text.append("\r\n\r\n").append(request.body);
}

}  // namespace extproc::client
