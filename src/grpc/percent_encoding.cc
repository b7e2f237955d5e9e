#include "grpc/percent_encoding.h"

namespace extproc::grpc {
namespace {

bool is_plain(unsigned char c) { return c >= 0x20 && c <= 0x7E && c != '%'; }
bool continues_character(unsigned char c) { return (c & 0xC0U) == 0x80U; }

}  // namespace

std::string percent_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  std::size_t character_start = 0;
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    if (!continues_character(c)) character_start = encoded.size();
    if (encoded.size() + (is_plain(c) ? 1 : 3) > kMaxStatusMessageBytes) {
      if (continues_character(c)) encoded.resize(character_start);
      break;
    }
    if (is_plain(c)) {
      encoded += raw;
    } else {
      encoded += '%';
      encoded += kHex[c >> 4U];
      encoded += kHex[c & 0xFU];
    }
  }
  return encoded;
}

}  // namespace extproc::grpc
