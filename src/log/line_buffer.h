#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace extproc::log {

/// The longest line, its newline included: as much as a pipe takes in one piece, so that lines of
/// several processes do not mix.
inline constexpr std::size_t kLineBytes = 4096;

/// Where one line is put together.
class LineBuffer {
 public:
  /// Of what is escaped: backslashes and quotes as well, which would end a JSON string.
  enum class Quoting : bool { none, json };

  explicit LineBuffer(Quoting quoting = Quoting::none) : quoting_(quoting) {}

  std::string_view text() const { return {bytes_.data(), size_}; }
  std::size_t size() const { return size_; }

  /// The library's own words, as they are; they must fit.
  void put(std::string_view words);
  /// Anybody's words, in at most `most` bytes and no further than to `end` of the buffer. Control
  /// characters, marks of the writing direction and what is no UTF-8 become "\x1b", "\u202e". What
  /// is longer is cut between two characters, and its length is told behind the cut.
  void put_escaped(std::string_view words, std::size_t most, std::size_t end = kLineBytes);

 private:
  std::array<char, kLineBytes> bytes_;
  std::size_t size_ = 0;
  Quoting quoting_;
};

}  // namespace extproc::log
