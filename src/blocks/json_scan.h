#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "blocks/json_text.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

// The quick ways through strings and numbers that lie whole in a chunk. What is cut or wrong is
// left to JsonReader's slow ones, which go on from any byte.
namespace extproc::json_scan {

inline unsigned char byte_at(const char* at) { return static_cast<unsigned char>(*at); }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The first byte that is not a plain character of a string.
inline const char* plain_end(const char* at, const char* end) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i space = _mm_set1_epi8(0x20);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // As signed numbers, bytes that are no ASCII are below a space as well.
    const __m128i special =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                     _mm_cmplt_epi8(bytes, space));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
    if (mask != 0) return at + __builtin_ctz(mask);
  }
#endif
  while (at != end && static_cast<signed char>(*at) >= 0x20 && *at != '"' && *at != '\\') ++at;
  return at;
}

/// Behind one whole character of several bytes; `at` where that is cut or none.
inline const char* behind_character(const char* at, const char* end) {
  const auto follows = [at](int i) { return (byte_at(at + i) & 0xc0) == 0x80; };
  const unsigned char c = byte_at(at);
  const auto left = end - at;
  if (c >= 0xc2 && c < 0xe0) return left >= 2 && follows(1) ? at + 2 : at;
  if (c >= 0xe0 && c < 0xf0) {
    if (left < 3 || !follows(1) || !follows(2)) return at;
    const int bits = (c & 15) << 2 | (byte_at(at + 1) >> 4 & 3);
    const bool is_surrogate = c == 0xed && byte_at(at + 1) >= 0xa0;
    return bits >= 2 && !is_surrogate ? at + 3 : at;
  }
  if (c >= 0xf0 && c < 0xf5) {
    if (left < 4 || !follows(1) || !follows(2) || !follows(3)) return at;
    const unsigned char second = byte_at(at + 1);
    return (c == 0xf0 && second < 0x90) || (c == 0xf4 && second >= 0x90) ? at : at + 4;
  }
  return at;
}

/// The quote that ends a string, or the first byte that needs a closer look.
inline const char* string_end(const char* at, const char* end) {
  while (true) {
    at = plain_end(at, end);
    if (at == end || *at == '"') return at;
    if (*at == '\\') {
      if (end - at < 2 || json_text::kEscapes.find(at[1]) == std::string_view::npos) return at;
      at += 2;
      continue;
    }
    do {
      const char* const behind = behind_character(at, end);
      if (behind == at) return at;
      at = behind;
    } while (at != end && byte_at(at) >= 0x80);
  }
}

/// Behind a literal, which its first byte names; nothing where it is cut or another.
inline const char* literal_end(const char* at, const char* end) {
  const auto behind = [at, end]<std::size_t size>(const char(&literal)[size]) {
    constexpr std::size_t length = size - 1;
    const bool whole = static_cast<std::size_t>(end - at) >= length &&
                       std::memcmp(at, literal, length) == 0;  // compares it at once
    return whole ? at + length : nullptr;
  };
  return *at == 't' ? behind("true") : *at == 'f' ? behind("false") : behind("null");
}

/// Behind a number; nothing where it is cut or none.
inline const char* number_end(const char* at, const char* end) {
  const auto digits = [&at, end] {
    const char* const from = at;
    while (at != end && is_digit(*at)) ++at;
    return at != from;
  };
  if (*at == '-') ++at;
  if (at != end && *at == '0') {
    ++at;
  } else if (!digits()) {
    return nullptr;
  }
  if (at != end && *at == '.') {
    ++at;
    if (!digits()) return nullptr;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    if (!digits()) return nullptr;
  }
  return at == end ? nullptr : at;
}

}  // namespace extproc::json_scan
