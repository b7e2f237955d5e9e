// The slow ways of JsonReader through strings, numbers and literals, which go on from any byte; and
// how strings are written.
#include <algorithm>

#include "blocks/json_scan.h"
#include "blocks/json_text.h"
#include "extproc/json_fields.h"

namespace extproc {

namespace {
namespace json_scalars {

void append_utf8(std::string& out, std::uint32_t c) {
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xc0 | c >> 6);
    byte(0x80 | (c & 63));
  } else {
    if (c < 0x10000) {
      byte(0xe0 | c >> 12);
    } else {
      byte(0xf0 | c >> 18);
      byte(0x80 | (c >> 12 & 63));
    }
    byte(0x80 | (c >> 6 & 63));
    byte(0x80 | (c & 63));
  }
}

std::uint32_t four_digits(std::string_view text) {
  std::uint32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    value = value << 4 |
            static_cast<std::uint32_t>(json_text::hex_value(static_cast<unsigned char>(c)));
  }
  return value;
}

}  // namespace json_scalars
}  // namespace

/// Up to behind the quote that ends it; false where the chunk or the text ends first.
bool JsonReader::scan_string() {
  const char* const end = chunk_.data() + chunk_.size();
  while (at_ < chunk_.size()) {
    if (escape_ == 0 && utf8_left_ == 0 && !needs_low_) {
      const char* const special = json_scan::plain_end(chunk_.data() + at_, end);
      at_ = static_cast<std::size_t>(special - chunk_.data());
      if (special == end) return false;
      if (*special == '"') {
        ++at_;
        return true;
      }
    }
    special(static_cast<unsigned char>(chunk_[at_]));
    if (state_ == State::failed) return false;
    ++at_;
  }
  return false;
}

/// A byte that is no plain character, or stands behind one that leaves something open.
void JsonReader::special(unsigned char c) {
  if (utf8_left_ != 0) {
    if (c < utf8_low_ || c > utf8_high_) return fail("a string is no UTF-8");
    utf8_low_ = 0x80;
    utf8_high_ = 0xbf;
    --utf8_left_;
  } else if (escape_ != 0) {
    escaped(c);
  } else if (c == '\\') {
    escape_ = 1;
    has_escape_ = true;
  } else if (needs_low_) {
    fail("half of a pair of surrogates is missing");
  } else if (c < 0x20) {
    fail("a control character in a string has to be escaped");
  } else if (c < 0xc2 || c > 0xf4) {
    fail("a string is no UTF-8");
  } else {
    utf8_left_ = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    // Longer forms than needed, surrogates, and what is beyond Unicode.
    if (c == 0xe0) utf8_low_ = 0xa0;
    if (c == 0xed) utf8_high_ = 0x9f;
    if (c == 0xf0) utf8_low_ = 0x90;
    if (c == 0xf4) utf8_high_ = 0x8f;
  }
}

void JsonReader::escaped(unsigned char c) {
  if (escape_ == 1) {
    if (c == 'u') {
      escape_ = 2;
      hex_ = 0;
    } else if (needs_low_) {
      fail("half of a pair of surrogates is missing");
    } else if (json_text::kEscapes.find(static_cast<char>(c)) == std::string_view::npos) {
      fail("an escape is none");
    } else {
      escape_ = 0;
    }
    return;
  }
  const int digit = json_text::hex_value(c);
  if (digit < 0) return fail("an escape is none");
  hex_ = static_cast<std::uint16_t>(hex_ << 4 | digit);
  if (++escape_ < 6) return;
  escape_ = 0;
  const bool is_low = hex_ >= 0xdc00 && hex_ < 0xe000;
  if (is_low != needs_low_) return fail("half of a pair of surrogates is missing");
  needs_low_ = hex_ >= 0xd800 && hex_ < 0xdc00;
}

/// Whether the number is over, in front of a byte that is none of it.
bool JsonReader::scan_number() {
  while (at_ < chunk_.size()) {
    if (!number_char(chunk_[at_])) {
      const bool whole = number_ == Number::zero || number_ == Number::whole ||
                         number_ == Number::fraction || number_ == Number::exponent;
      if (!whole) fail("a number is none");
      return whole;
    }
    ++at_;
  }
  return false;
}

/// Whether the number goes on with it.
bool JsonReader::number_char(char c) {
  const bool digit = json_scan::is_digit(c);
  const bool is_e = c == 'e' || c == 'E';
  switch (number_) {
    case Number::minus:
      if (digit) number_ = c == '0' ? Number::zero : Number::whole;
      return digit;
    case Number::zero:
    case Number::whole:
      if (digit) return number_ == Number::whole;
      if (c == '.') number_ = Number::point;
      if (is_e) number_ = Number::e;
      return c == '.' || is_e;
    case Number::point:
    case Number::fraction:
      if (digit) {
        number_ = Number::fraction;
        return true;
      }
      if (number_ == Number::point || !is_e) return false;
      number_ = Number::e;
      return true;
    case Number::e:
      if (c == '+' || c == '-') {
        number_ = Number::sign;
        return true;
      }
      [[fallthrough]];
    case Number::sign:
    case Number::exponent:
      if (digit) number_ = Number::exponent;
      return digit;
  }
  return false;
}

bool JsonReader::scan_literal() {
  while (at_ < chunk_.size() && *literal_ != '\0') {
    if (chunk_[at_] != *literal_) {
      fail("a value is missing");
      return false;
    }
    ++at_;
    ++literal_;
  }
  return *literal_ == '\0';
}

std::string json_text::unescaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    result.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const char kind = text[1];
    text.remove_prefix(2);
    if (kind != 'u') {
      result += json_text::kEscaped[json_text::kEscapes.find(kind)];
      continue;
    }
    std::uint32_t c = json_scalars::four_digits(text);
    text.remove_prefix(4);
    if (c >= 0xd800 && c < 0xdc00) {
      c = 0x10000 + ((c & 0x3ff) << 10 | (json_scalars::four_digits(text.substr(2)) & 0x3ff));
      text.remove_prefix(6);
    }
    json_scalars::append_utf8(result, c);
  }
  return result;
}

std::optional<std::string> JsonField::text() const {
  if (kind != JsonKind::string || too_long) return std::nullopt;
  return json_text::unescaped(raw.substr(1, raw.size() - 2));
}

std::string json_quoted(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    const auto escape = c == '/' ? json_text::kEscaped.npos : json_text::kEscaped.find(c);
    if (escape != json_text::kEscaped.npos) {
      (result += '\\') += json_text::kEscapes[escape];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      result.append("\\u00");
      result += kDigits[static_cast<unsigned char>(c) >> 4];
      result += kDigits[c & 15];
    } else {
      result += c;
    }
  }
  return result += '"';
}

}  // namespace extproc
