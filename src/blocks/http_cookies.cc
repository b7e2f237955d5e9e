// Cookies (RFC 6265).
#include <algorithm>
#include <charconv>
#include <limits>

#include "base/header_name.h"
#include "blocks/http_text.h"
#include "extproc/http.h"

namespace extproc::http {

namespace {

/// Takes a number as browsers do: digits, or '-' and digits; what is too large is the largest.
std::optional<std::int64_t> max_age_of(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || !std::ranges::all_of(digits, is_digit)) return std::nullopt;
  if (text.front() == '-') return 0;
  std::int64_t seconds = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  return end.ec == std::errc{} ? seconds : std::numeric_limits<std::int64_t>::max();
}

void set_attribute(SetCookie& cookie, std::string_view name, std::string_view value) {
  if (same_name(name, "expires")) {
    cookie.expires = value;
  } else if (same_name(name, "max-age")) {
    if (const auto seconds = max_age_of(value)) cookie.max_age = seconds;
  } else if (same_name(name, "domain")) {
    cookie.domain = value.substr(value.starts_with('.') ? 1 : 0);
    std::ranges::transform(cookie.domain, cookie.domain.begin(), lower_case);
  } else if (same_name(name, "path")) {
    cookie.path = value.starts_with('/') ? value : "";
  } else if (same_name(name, "secure")) {
    cookie.secure = true;
  } else if (same_name(name, "httponly")) {
    cookie.http_only = true;
  } else if (same_name(name, "samesite")) {
    cookie.same_site = same_name(value, "strict") ? SameSite::strict
                       : same_name(value, "lax")  ? SameSite::lax
                       : same_name(value, "none") ? SameSite::none
                                                  : SameSite::unset;
  }
}

/// Of a cookie's value or attribute: nothing that ends it, and nothing that ends a header.
bool is_safe(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == ';' || is_control(c); });
}

}  // namespace

std::vector<Cookie> parse_cookies(std::string_view header) {
  std::vector<Cookie> cookies;
  while (!header.empty()) {
    const auto end = std::min(header.find(';'), header.size());
    const std::string_view text = trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    const auto pair = cut(text, '=');
    if (!pair || trimmed(pair->first).empty()) continue;
    cookies.push_back({trimmed(pair->first), trimmed(pair->second)});
  }
  return cookies;
}

std::optional<std::string_view> cookie(const HeaderView& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (!same_name(header.name, "cookie")) continue;
    for (const Cookie& one : parse_cookies(header.value)) {
      if (one.name == name) return one.value;
    }
  }
  return std::nullopt;
}

std::string without_cookie(std::string_view header, std::string_view name) {
  std::string result;
  for (const Cookie& one : parse_cookies(header)) {
    if (one.name == name) continue;
    if (!result.empty()) result += "; ";
    result.append(one.name).append("=").append(one.value);
  }
  return result;
}

std::optional<SetCookie> SetCookie::parse(std::string_view header) {
  const auto next = [&header] {
    const auto end = std::min(header.find(';'), header.size());
    const std::string_view part = trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    return part;
  };
  const auto pair = cut(next(), '=');
  if (!pair || trimmed(pair->first).empty()) return std::nullopt;
  SetCookie result;
  result.name = trimmed(pair->first);
  result.value = trimmed(pair->second);
  while (!header.empty()) {
    const std::string_view part = next();
    const auto attribute = cut(part, '=').value_or(std::pair(part, std::string_view()));
    set_attribute(result, trimmed(attribute.first), trimmed(attribute.second));
  }
  return result;
}

std::optional<std::string> SetCookie::text() const {
  if (!is_token(name)) return std::nullopt;
  for (const std::string* part : {&value, &expires, &domain, &path}) {
    if (!is_safe(*part)) return std::nullopt;
  }
  std::string result = name + '=' + value;
  if (!expires.empty()) result.append("; Expires=").append(expires);
  if (max_age) result.append("; Max-Age=").append(std::to_string(*max_age));
  if (!domain.empty()) result.append("; Domain=").append(domain);
  if (!path.empty()) result.append("; Path=").append(path);
  if (secure) result += "; Secure";
  if (http_only) result += "; HttpOnly";
  if (same_site == SameSite::strict) result += "; SameSite=Strict";
  if (same_site == SameSite::lax) result += "; SameSite=Lax";
  if (same_site == SameSite::none) result += "; SameSite=None";
  return result;
}

}  // namespace extproc::http
