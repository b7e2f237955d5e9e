// Targets, queries and forms, and how they are encoded.
#include <algorithm>
#include <vector>

#include "blocks/http_text.h"
#include "extproc/http.h"

namespace extproc::http {

namespace {

constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// The byte that the escape at `at` stands for; -1 where it is none.
int escaped_byte(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size()) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

bool named(std::string_view written, std::string_view name) {
  return written == name ||
         (written.find_first_of("%+") != std::string_view::npos && form_decode(written) == name);
}

/// The path's escapes in their one form; nothing where one is none.
std::optional<std::string> normal_escapes(std::string_view path) {
  std::string result;
  result.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      result += path[i];
      continue;
    }
    const int byte = escaped_byte(path, i);
    if (byte < 0) return std::nullopt;
    i += 2;
    if (is_unreserved(static_cast<char>(byte))) {
      result += static_cast<char>(byte);
    } else {
      append_escape(result, static_cast<char>(byte));
    }
  }
  return result;
}

std::string with_query(std::string_view target, std::string_view query) {
  std::string result(split_target(target).path);
  if (!query.empty()) (result += '?') += query;
  return result;
}

void append_raw(std::string& query, const Param& param, std::string_view between) {
  if (!query.empty()) query += '&';
  query.append(param.name).append(between).append(param.value);
}

/// What stands between a parameter's name and its value: '=', or nothing.
std::string_view between(const Param& param) {
  return param.value.data() == param.name.data() + param.name.size() ? "" : "=";
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int byte = escaped_byte(text, i);
    if (byte < 0) return std::nullopt;
    result += static_cast<char>(byte);
    i += 2;
  }
  return result;
}

std::string form_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? escaped_byte(text, i) : -1;
    if (byte >= 0) {
      result += static_cast<char>(byte);
      i += 2;
    } else {
      result += text[i] == '+' ? ' ' : text[i];
    }
  }
  return result;
}

std::string percent_encode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      result += c;
    } else {
      append_escape(result, c);
    }
  }
  return result;
}

void Params::Iterator::read() {
  while (!rest_.empty()) {
    const auto end = std::min(rest_.find('&'), rest_.size());
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (text.empty()) continue;
    const auto equals = text.find('=');
    param_.name = text.substr(0, equals);
    param_.value = text.substr(equals == std::string_view::npos ? text.size() : equals + 1);
    at_ = text.data();
    return;
  }
  at_ = nullptr;
}

std::optional<std::string> Params::value(std::string_view name) const {
  for (const Param& param : *this) {
    if (named(param.name, name)) return form_decode(param.value);
  }
  return std::nullopt;
}

std::vector<std::string> Params::values(std::string_view name) const {
  std::vector<std::string> result;
  for (const Param& param : *this) {
    if (named(param.name, name)) result.push_back(form_decode(param.value));
  }
  return result;
}

Target split_target(std::string_view target) {
  target = target.substr(0, target.find('#'));
  if (const auto parts = cut(target, '?')) return {parts->first, parts->second};
  return {target, std::nullopt};
}

std::vector<std::string_view> path_segments(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (const auto parts = cut(path, '/')) {
    segments.push_back(parts->first);
    path = parts->second;
  }
  segments.push_back(path);
  return segments;
}

std::optional<std::string> normal_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  const auto written = normal_escapes(path);
  if (!written) return std::nullopt;
  std::vector<std::string_view> kept;
  const std::vector<std::string_view> segments = path_segments(*written);
  for (const std::string_view segment : segments) {
    if (segment == "..") {
      if (kept.empty()) return std::nullopt;
      kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
    }
  }
  // Behind a last "." or ".." a folder's slash stays.
  if (segments.back() == "." || segments.back() == "..") kept.emplace_back();
  std::string result;
  for (const std::string_view segment : kept) (result += '/') += segment;
  return result;
}

std::string with_param(std::string_view target, std::string_view name, std::string_view value) {
  const std::string encoded = percent_encode(value);
  std::string query;
  bool set = false;
  for (const Param& param : split_target(target).params()) {
    if (!named(param.name, name)) {
      append_raw(query, param, between(param));
    } else if (!std::exchange(set, true)) {
      append_raw(query, {param.name, encoded}, "=");
    }
  }
  if (!set) {
    const std::string encoded_name = percent_encode(name);
    append_raw(query, {encoded_name, encoded}, "=");
  }
  return with_query(target, query);
}

std::string without_param(std::string_view target, std::string_view name) {
  std::string query;
  for (const Param& param : split_target(target).params()) {
    if (!named(param.name, name)) append_raw(query, param, between(param));
  }
  return with_query(target, query);
}

}  // namespace extproc::http
