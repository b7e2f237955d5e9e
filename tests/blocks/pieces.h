#pragma once

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// How a driver is given its cases: a number of pieces, then each with its length, 32 bits each,
// little endian. What it prints goes back in hexadecimal digits.
namespace extproc::blocks_test {

inline std::optional<std::uint32_t> read_number() {
  unsigned char bytes[4];
  if (!std::cin.read(reinterpret_cast<char*>(bytes), 4)) return std::nullopt;
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
}

inline std::optional<std::vector<std::string>> read_case() {
  const auto count = read_number();
  if (!count) return std::nullopt;
  std::vector<std::string> pieces(*count);
  for (std::string& piece : pieces) {
    piece.resize(read_number().value_or(0));
    std::cin.read(piece.data(), static_cast<std::streamsize>(piece.size()));
  }
  return pieces;
}

inline std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "x";
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

}  // namespace extproc::blocks_test
