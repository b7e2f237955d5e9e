#include "call_log/json_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "log/utf8.h"

namespace extproc::call_log {
namespace {

/// Characters that stand for themselves.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

/// Of eight at once; also true where it is not worth to know.
bool may_need_escape(const char* eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x80 * kOnes;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, eight, sizeof bytes);
  const auto below = [](std::uint64_t x, char least) {
    return (x - kOnes * static_cast<unsigned char>(least)) & ~x;
  };
  const std::uint64_t found = bytes | below(bytes, ' ') | below(bytes ^ (kOnes * '"'), 1) |
                              below(bytes ^ (kOnes * '\\'), 1);
  return (found & kHigh) != 0;
}

std::string_view plain_begin(std::string_view text) {
  std::size_t size = 0;
  while (text.size() - size >= 8 && !may_need_escape(text.data() + size)) size += 8;
  while (size < text.size() && kPlain[static_cast<unsigned char>(text[size])]) ++size;
  return text.substr(0, size);
}

/// One character that does not stand for itself.
class Escaped {
 public:
  explicit Escaped(std::string_view text) {
    const unsigned char first = static_cast<unsigned char>(text[0]);
    if (first >= 0x80) {
      const log::Unit unit = log::first_unit(text);
      bytes_ = unit.bytes;
      shown_ = unit.character ? text.substr(0, unit.bytes) : kReplacement;
      return;
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    const std::size_t at = kShort.find(text[0]);
    if (at != kShort.npos) {
      own_ = {'\\', kLetters[at]};
    } else {
      own_ = {'\\', 'u', '0', '0', kDigits[first >> 4], kDigits[first & 15]};
    }
    shown_ = std::string_view(own_.data(), at != kShort.npos ? 2 : own_.size());
  }
  Escaped(const Escaped&) = delete;
  Escaped& operator=(const Escaped&) = delete;

  std::string_view shown() const { return shown_; }
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
  static constexpr std::string_view kLetters = "\"\\bfnrt";

  std::array<char, 6> own_{};
  std::string_view shown_;
  std::size_t bytes_ = 1;
};

}  // namespace

JsonLine::JsonLine(std::string& out, std::size_t most) : out_(out), most_(most) { out_ = "{"; }

bool JsonLine::member(std::string_view name, std::size_t bytes) {
  // Names are short; each of their bytes can become six.
  if (room() < 6 * name.size() + bytes + 4) {
    cut_ = true;
    return false;
  }
  const std::string_view begin = out_.back() == '{' ? "\"" : ",\"";
  out_ += begin;
  if (plain_begin(name).size() == name.size()) {
    out_ += name;
  } else {
    escape(name, out_.size() + room());
  }
  out_ += "\":";
  return true;
}

bool JsonLine::escape(std::string_view value, std::size_t end) {
  while (!value.empty()) {
    if (const std::string_view plain = plain_begin(value); !plain.empty()) {
      const std::size_t fits = std::min(plain.size(), end - out_.size());
      out_.append(plain, 0, fits);
      if (fits < plain.size()) return false;
      value.remove_prefix(fits);
      continue;
    }
    const Escaped escaped(value);
    if (out_.size() + escaped.shown().size() > end) return false;
    out_ += escaped.shown();
    value.remove_prefix(escaped.bytes());
  }
  return true;
}

bool JsonLine::begin_text(std::string_view name, std::size_t most) {
  if (!member(name, 2)) return false;
  out_ += '"';
  // But for the quote at the end.
  const std::size_t room_left = room() - 1;
  text_end_ = out_.size() + std::min(most, room_left);
  return true;
}

void JsonLine::piece(std::string_view value) {
  if (escape(value, text_end_)) return;
  cut_ = true;
  text_end_ = out_.size();
}

void JsonLine::end_text() { out_ += '"'; }

void JsonLine::text(std::string_view name, std::string_view value, std::size_t most) {
  if (!begin_text(name, most)) return;
  piece(value);
  end_text();
}

void JsonLine::raw(std::string_view name, std::string_view value) {
  if (member(name, value.size())) out_ += value;
}

void JsonLine::number(std::string_view name, std::int64_t value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  raw(name, {digits.begin(), end});
}

void JsonLine::number(std::string_view name, double value) {
  if (!std::isfinite(value)) return raw(name, "null");
  std::array<char, 40> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  raw(name, {digits.begin(), end});
}

void JsonLine::boolean(std::string_view name, bool value) { raw(name, value ? "true" : "false"); }

void JsonLine::milliseconds(std::string_view name, std::chrono::nanoseconds value) {
  const std::int64_t us = std::max<std::int64_t>(value.count() / 1'000, 0);
  std::array<char, 28> digits{};
  char* at = std::to_chars(digits.begin(), digits.end(), us / 1'000).ptr;
  *at++ = '.';
  for (const std::int64_t unit : {100, 10, 1})
    *at++ = static_cast<char>('0' + us % 1'000 / unit % 10);
  raw(name, {digits.begin(), at});
}

bool JsonLine::begin_object(std::string_view name) {
  if (!member(name, 2)) return false;
  out_ += '{';
  ++depth_;
  return true;
}

void JsonLine::end_object() {
  out_ += '}';
  --depth_;
}

void JsonLine::finish() {
  if (cut_) out_ += out_ == "{" ? kCut.substr(1) : kCut;
  out_ += "}\n";
}

}  // namespace extproc::call_log
