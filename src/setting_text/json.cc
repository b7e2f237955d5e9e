#include "setting_text/json.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/setting_limits.h"
#include "extproc/error.h"
#include "setting_text/place.h"

namespace extproc::setting_text {
namespace {

using detail::SettingNode;
using Kind = SettingNode::Kind;

constexpr std::string_view kSpace = " \t\r\n";

void append_utf8(std::string& out, std::uint32_t code) {
  constexpr unsigned kBits = 6;
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  const auto tail = [&](unsigned shift) { put(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> kBits);
  } else if (code < 0x10000) {
    put(0xE0 | code >> 2 * kBits);
    tail(kBits);
  } else {
    put(0xF0 | code >> 3 * kBits);
    tail(2 * kBits);
    tail(kBits);
  }
  tail(0);
}

class JsonReader {
 public:
  JsonReader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  SettingNode read() {
    SettingNode node = value(0);
    skip_space();
    if (at_ != text_.size()) fail("something follows behind its end");
    return node;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(place(name_, line_) + ": it is no JSON: " + why);
  }

  void skip_space() {
    for (; at_ < text_.size() && kSpace.find(text_[at_]) != std::string_view::npos; ++at_)
      line_ += text_[at_] == '\n' ? 1 : 0;
  }
  bool take(char wanted) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void need(char wanted) {
    if (!take(wanted)) fail(std::string("a ") + wanted + " is missing");
  }

  SettingNode value(std::size_t depth) {
    if (depth == kMostSettingLevels)
      fail("it has more than " + std::to_string(kMostSettingLevels) + " levels");
    if (++values_ > kMostSettingValues)
      fail("it has more than " + std::to_string(kMostSettingValues) + " values");
    skip_space();
    const int line = line_;
    if (take('{')) return mapping(line, depth);
    if (take('[')) return list(line, depth);
    if (take('"')) return {.kind = Kind::scalar, .quoted = true, .line = line, .text = text()};
    return word(line);
  }

  SettingNode mapping(int line, std::size_t depth) {
    SettingNode node{.kind = Kind::mapping, .line = line};
    if (take('}')) return node;
    do {
      skip_space();
      const int at = line_;
      if (!take('"')) fail("a key in quotation marks is missing");
      std::string name = text();
      if (node.find(name) != nullptr) fail(name + " is given twice: give it once");
      need(':');
      node.keys.push_back({std::move(name), at});
      node.items.push_back(value(depth + 1));
    } while (take(','));
    need('}');
    return node;
  }

  SettingNode list(int line, std::size_t depth) {
    SettingNode node{.kind = Kind::list, .line = line};
    if (take(']')) return node;
    do {
      node.items.push_back(value(depth + 1));
    } while (take(','));
    need(']');
    return node;
  }

  // Whole numbers come as 5.0 from no writer of JSON that is asked for.
  SettingNode word(int line) {
    const std::size_t end = text_.find_first_of(" \t\r\n,]}", at_);
    std::string word(text_.substr(at_, end - at_));
    const bool is_number =
        !word.empty() && word.find_first_not_of("0123456789+-.eE") == std::string::npos;
    if (!is_number && word != "true" && word != "false" && word != "null")
      fail(word.empty() ? "a value is missing" : "\"" + word + "\" stands without quotation marks");
    at_ += word.size();
    if (word == "null") return {.line = line};
    return {.kind = Kind::scalar, .line = line, .text = std::move(word)};
  }

  std::string text() {
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      const char c = text_[at_++];
      if (static_cast<unsigned char>(c) < 0x20) fail("a text has a control character in it");
      c == '\\' ? escape(out) : out.push_back(c);
    }
    if (at_ == text_.size()) fail("a text does not end");
    ++at_;
    return out;
  }

  void escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    if (c == 'u') return append_utf8(out, code_point());
    const std::size_t which = kLetters.find(c);
    if (c == '\0' || which == std::string_view::npos)
      fail("a text has an escape that there is not");
    out.push_back(kMeanings[which]);
  }

  std::uint32_t code_point() {
    constexpr std::uint32_t kHigh = 0xD800;
    constexpr std::uint32_t kLow = 0xDC00;
    constexpr std::uint32_t kEnd = 0xE000;
    const std::uint32_t first = four_digits();
    if (first < kHigh || first >= kEnd) return first;
    if (first >= kLow || text_.substr(at_, 2) != "\\u") fail("half of a surrogate pair");
    at_ += 2;
    const std::uint32_t second = four_digits();
    if (second < kLow || second >= kEnd) fail("half of a surrogate pair");
    return 0x10000 + ((first - kHigh) << 10) + (second - kLow);
  }

  std::uint32_t four_digits() {
    std::uint32_t number = 0;
    for (int i = 0; i < 4; ++i) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      const char c = at_ < text_.size() ? text_[at_++] : '\0';
      const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
      const std::size_t digit = kDigits.find(lower);
      if (c == '\0' || digit == std::string_view::npos) fail("\\u wants four hexadecimal digits");
      number = number << 4 | static_cast<std::uint32_t>(digit);
    }
    return number;
  }

  const std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::size_t values_ = 0;
};

}  // namespace

SettingNode read_json(std::string_view text, const std::string& name) {
  if (text.size() > kMostSettingBytes)
    throw Error(name + " has more than " + std::to_string(kMostSettingBytes) + " bytes");
  return JsonReader(text, name).read();
}

}  // namespace extproc::setting_text
