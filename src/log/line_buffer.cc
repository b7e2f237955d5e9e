#include "log/line_buffer.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <iterator>

#include "log/utf8.h"

namespace extproc::log {
namespace {

/// Whether it does something else than to show itself: controls, separators of lines, and marks of
/// the writing direction.
bool acts(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  return c < 0x20 || within(0x7f, 0x9f) || c == 0x61c || within(0x200e, 0x200f) ||
         within(0x2028, 0x202e) || within(0x2066, 0x2069) || c == 0xfeff;
}

/// A few characters.
class Piece {
 public:
  std::string_view text() const { return {bytes_, size_}; }
  void put(char c) { bytes_[size_++] = c; }
  void put(std::string_view text) {
    for (const char c : text) put(c);
  }
  void put_hexadecimal(char32_t value, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
      put("0123456789abcdef"[(value >> shift) & 15]);
  }

 private:
  char bytes_[16];
  std::size_t size_ = 0;
};

Piece shown(std::string_view words, const Unit& unit, bool in_json) {
  const std::string_view backslash = in_json ? "\\\\" : "\\";
  Piece piece;
  if (!unit.character || (acts(*unit.character) && *unit.character < 0x80)) {
    piece.put(backslash);
    piece.put('x');
    piece.put_hexadecimal(static_cast<unsigned char>(words[0]), 2);
  } else if (acts(*unit.character)) {
    piece.put(backslash);
    piece.put('u');
    piece.put_hexadecimal(*unit.character, 4);
  } else {
    if (in_json && (words[0] == '"' || words[0] == '\\')) piece.put('\\');
    piece.put(words.substr(0, unit.bytes));
  }
  return piece;
}

/// What stands behind words that were cut.
class CutMark {
 public:
  explicit CutMark(std::size_t bytes) {
    char digits[20];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), bytes).ptr;
    for (const std::string_view part :
         {std::string_view(" ... ("), std::string_view(digits, end), std::string_view(" bytes)")}) {
      std::ranges::copy(part, text_ + size_);
      size_ += part.size();
    }
  }
  std::string_view text() const { return {text_, size_}; }

 private:
  char text_[40];
  std::size_t size_ = 0;
};

}  // namespace

void LineBuffer::put(std::string_view words) {
  assert(words.size() <= kLineBytes - size_);
  std::ranges::copy(words, bytes_.data() + size_);
  size_ += words.size();
}

void LineBuffer::put_escaped(std::string_view words, std::size_t most, std::size_t end) {
  const CutMark mark(words.size());
  const std::size_t last = std::min(end, size_ + most);
  // The longest beginning behind which there is room for the mark.
  std::size_t cut = size_;
  for (std::string_view rest = words; !rest.empty();) {
    const Unit unit = first_unit(rest);
    const Piece piece = shown(rest, unit, quoting_ == Quoting::json);
    if (size_ + piece.text().size() > last) {
      size_ = cut;
      if (size_ + mark.text().size() <= last) put(mark.text());
      return;
    }
    put(piece.text());
    rest.remove_prefix(unit.bytes);
    if (size_ + mark.text().size() <= last) cut = size_;
  }
}

}  // namespace extproc::log
