// Who asks: proxies in front (RFC 7239), and credentials (RFC 9110, 11.4).
#include <algorithm>

#include "base/header_name.h"
#include "blocks/http_text.h"
#include "extproc/http.h"

namespace extproc::http {

namespace {

std::optional<Forwarded> read_forwarded(std::string_view element) {
  Forwarded result;
  while (!element.empty()) {
    const std::string_view text = trimmed(take_until(element, ';'));
    if (text.empty()) continue;
    const auto pair = cut(text, '=');
    if (!pair || !is_token(pair->first) || (!is_token(pair->second) && !is_quoted(pair->second))) {
      return std::nullopt;
    }
    std::string* const part = same_name(pair->first, "for")     ? &result.for_node
                              : same_name(pair->first, "by")    ? &result.by_node
                              : same_name(pair->first, "host")  ? &result.host
                              : same_name(pair->first, "proto") ? &result.proto
                                                                : nullptr;
    if (part == nullptr) continue;
    if (!part->empty()) return std::nullopt;
    *part = unquoted(pair->second);
  }
  return result;
}

/// token68 of RFC 9110.
bool is_token68(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return is_unreserved(c) || c == '+' || c == '/'; });
}

std::optional<std::string_view> token_of(std::string_view header, std::string_view scheme) {
  const auto credentials = parse_authorization(header);
  if (!credentials || !same_name(credentials->scheme, scheme)) return std::nullopt;
  return is_token68(credentials->rest) ? std::optional(credentials->rest) : std::nullopt;
}

}  // namespace

std::optional<std::vector<Forwarded>> parse_forwarded(std::string_view header) {
  std::vector<Forwarded> result;
  for (const std::string_view element : split_list(header)) {
    auto one = read_forwarded(element);
    if (!one) return std::nullopt;
    result.push_back(*std::move(one));
  }
  return result;
}

std::pair<std::string_view, std::string_view> split_node(std::string_view node) {
  if (node.starts_with('[')) {
    const auto end = node.find(']');
    if (end == std::string_view::npos) return {node, {}};
    const std::string_view behind = node.substr(end + 1);
    return {node.substr(1, end - 1), behind.substr(behind.starts_with(':') ? 1 : 0)};
  }
  // More than one colon is an IPv6 address without brackets, as x-forwarded-for has them.
  if (const auto parts = cut(node, ':'); parts && parts->second.find(':') == node.npos) {
    return *parts;
  }
  return {node, {}};
}

std::optional<std::string_view> forwarded_for(const HeaderView& headers,
                                              std::size_t trusted_proxies) {
  const auto nodes = list_of(headers, "x-forwarded-for");
  if (trusted_proxies == 0 || trusted_proxies > nodes.size()) return std::nullopt;
  return split_node(nodes[nodes.size() - trusted_proxies]).first;
}

std::optional<Credentials> parse_authorization(std::string_view header) {
  header = trimmed(header);
  const auto end = std::min(header.find(' '), header.size());
  const std::string_view scheme = header.substr(0, end);
  if (!is_token(scheme)) return std::nullopt;
  return Credentials{scheme, trimmed(header.substr(end))};
}

std::optional<std::string_view> bearer_token(std::string_view header) {
  return token_of(header, "bearer");
}

std::optional<UserPassword> basic_credentials(std::string_view header) {
  const auto token = token_of(header, "basic");
  const auto text = token ? base64_decode(*token) : std::nullopt;
  if (!text || std::ranges::any_of(*text, is_control)) return std::nullopt;
  const auto pair = cut(*text, ':');
  if (!pair) return std::nullopt;
  return UserPassword{std::string(pair->first), std::string(pair->second)};
}

}  // namespace extproc::http
