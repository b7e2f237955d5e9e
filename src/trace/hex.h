#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace extproc::trace {

/// Writes two digits for each byte; returns the place behind them.
inline char* write_hex(char* at, std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    *at++ = kDigits[byte >> 4];
    *at++ = kDigits[byte & 15];
  }
  return at;
}

/// Reads two digits in lower case for each byte; false where there are others. `text` has as many.
inline bool read_hex(std::string_view text, std::span<std::uint8_t> bytes) {
  constexpr unsigned kNone = 16;
  const auto digit = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    return kNone;
  };
  unsigned seen = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned high = digit(text[2 * i]);
    const unsigned low = digit(text[2 * i + 1]);
    seen |= high | low;
    bytes[i] = static_cast<std::uint8_t>(high << 4 | (low & 15));
  }
  return (seen & kNone) == 0;
}

/// Whether any byte is other than zero: ids that are all zero are none.
template <std::size_t kSize>
bool is_set(const std::array<std::uint8_t, kSize>& id) {
  std::uint8_t any = 0;
  for (const std::uint8_t byte : id) any |= byte;
  return any != 0;
}

}  // namespace extproc::trace
