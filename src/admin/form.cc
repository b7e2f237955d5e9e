#include "admin/form.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace extproc::admin {
namespace {

/// What stands before the next separator, which is taken off with it.
std::string_view take_part(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '%') {
      result += c == '+' ? ' ' : c;
      continue;
    }
    unsigned value = 0;
    if (text.size() < 2) return std::nullopt;
    const auto read = std::from_chars(text.data(), text.data() + 2, value, 16);
    if (read.ec != std::errc() || read.ptr != text.data() + 2) return std::nullopt;
    result += static_cast<char>(value);
    text.remove_prefix(2);
  }
  return result;
}

bool is_unwanted(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string part(take_part(parameters, ';'));
    std::erase(part, ' ');
    if (part.starts_with("q=0") && part.find_first_not_of("0.", 2) == std::string::npos)
      return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> form_value(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    std::string_view value = take_part(form, '&');
    if (decoded(take_part(value, '=')) == name) return decoded(value);
  }
  return std::nullopt;
}

std::string media_type(std::string_view header) {
  std::string type(take_part(header, ';'));
  std::erase_if(type, [](char c) { return c == ' ' || c == '\t'; });
  std::ranges::transform(type, type.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type;
}

bool names_type(std::string_view accept, std::string_view type) {
  while (!accept.empty()) {
    std::string_view part = take_part(accept, ',');
    if (media_type(part) == type && !is_unwanted(part)) return true;
  }
  return false;
}

}  // namespace extproc::admin
