#include <array>
#include <cstddef>

#include "admin/document.h"

namespace extproc::admin {
namespace {

/// How many of the bytes at the front are one character of UTF-8; 0 where they are none.
std::size_t character_at(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    // Neither in more bytes than it takes, nor half of a pair of UTF-16.
    const bool right = (first != 0xE0 || byte(1) >= 0xA0) && (first != 0xED || byte(1) < 0xA0);
    return right && follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool right = (first != 0xF0 || byte(1) >= 0x90) && (first != 0xF4 || byte(1) < 0x90);
    return right && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

void append_quoted(std::string_view text, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const std::size_t size = character_at(text);
    const char c = text.front();
    if (size == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4U];
      out += kDigits[static_cast<unsigned char>(c) & 15U];
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out += '"';
}

/// Writes values, each of a depth.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void operator()(Document::Nothing /*nothing*/) { out_ += "null"; }
  void operator()(bool value) { out_ += value ? "true" : "false"; }
  void operator()(std::int64_t value) { out_ += std::to_string(value); }
  void operator()(std::uint64_t value) { out_ += std::to_string(value); }
  void operator()(const std::string& value) { append_quoted(value, out_); }
  void operator()(const Document::List& list) {
    put(list, '[', ']', [this](const Document& each) { std::visit(*this, each.value()); });
  }
  void operator()(const Document::Object& members) {
    put(members, '{', '}', [this](const Document::Member& member) {
      append_quoted(member.first, out_);
      out_ += ": ";
      std::visit(*this, member.second.value());
    });
  }

 private:
  template <class Parts, class Put>
  void put(const Parts& parts, char begin, char end, Put put_part) {
    out_ += begin;
    ++depth_;
    bool first = true;
    for (const auto& part : parts) {
      if (!first) out_ += ',';
      first = false;
      new_line();
      put_part(part);
    }
    --depth_;
    if (!first) new_line();
    out_ += end;
  }
  void new_line() { out_.append("\n").append(2 * depth_, ' '); }

  std::string& out_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string to_json(const Document& document) {
  std::string out;
  JsonWriter writer(out);
  std::visit(writer, document.value());
  return out + "\n";
}

}  // namespace extproc::admin
