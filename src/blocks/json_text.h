#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "extproc/json_fields.h"

// How JSON writes what it says.
namespace extproc::json_text {

constexpr bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// What can be behind '\\', but for u, and what it stands for.
inline constexpr std::string_view kEscapes = "\"\\/bfnrt";
inline constexpr std::string_view kEscaped = "\"\\/\b\f\n\r\t";

/// -1 for what is no hexadecimal digit.
constexpr int hex_value(unsigned char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// By its first byte.
constexpr JsonKind kind_of(char c) {
  switch (c) {
    case '"':
      return JsonKind::string;
    case '{':
      return JsonKind::object;
    case '[':
      return JsonKind::array;
    case 't':
    case 'f':
      return JsonKind::boolean;
    case 'n':
      return JsonKind::null;
    default:
      return JsonKind::number;
  }
}

/// Of what stands in quotes, and is right.
std::string unescaped(std::string_view text);

}  // namespace extproc::json_text
