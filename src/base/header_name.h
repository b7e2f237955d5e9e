#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace extproc {

/// ASCII only: what header names are made of.
constexpr char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// The same for many.
inline void make_lower_case(char* text, std::size_t size) {
  for (; size >= sizeof(std::uint64_t);
       text += sizeof(std::uint64_t), size -= sizeof(std::uint64_t)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text, sizeof bytes);
    constexpr std::uint64_t kEach = 0x0101010101010101;
    const std::uint64_t ascii = bytes & (kEach * 0x7f);
    // The highest bit of each byte tells, here that it is not below 'A', and that it is above 'Z'.
    const std::uint64_t from_a = ascii + kEach * (0x80 - 'A');
    const std::uint64_t above_z = ascii + kEach * (0x7f - 'Z');
    const std::uint64_t upper = from_a & ~above_z & ~bytes & (kEach * 0x80);
    bytes |= upper >> 2;
    std::memcpy(text, &bytes, sizeof bytes);
  }
  for (std::size_t i = 0; i < size; ++i) text[i] = lower_case(text[i]);
}

constexpr bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && lower_case(a[i]) != lower_case(b[i])) return false;
  }
  return true;
}

}  // namespace extproc
