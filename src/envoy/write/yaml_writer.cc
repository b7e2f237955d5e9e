#include "envoy/write/yaml_writer.h"

#include <cctype>

namespace extproc::envoy_config {
namespace {

constexpr std::size_t kIndentation = 2;
constexpr std::size_t kWidth = 110;

/// Words and paths that no reader of YAML takes for anything but a string, also between braces.
bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  bool has_letter = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalpha(byte) != 0) has_letter = true;
    if (std::isalnum(byte) == 0 && std::string_view("._-/").find(c) == std::string_view::npos) {
      return false;
    }
  }
  if (std::isalnum(static_cast<unsigned char>(text.front())) == 0 && text.front() != '/') {
    return false;
  }
  for (const std::string_view word :
       {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}) {
    if (text.size() != word.size()) continue;
    bool same = true;
    for (std::size_t i = 0; i < word.size(); ++i) {
      same = same && std::tolower(static_cast<unsigned char>(text[i])) == word[i];
    }
    if (same) return false;
  }
  const bool is_address = text.find('.') != text.rfind('.');
  const bool begins_as_number = std::isdigit(static_cast<unsigned char>(text.front())) != 0;
  return (has_letter && !begins_as_number) || is_address;
}

}  // namespace

void YamlWriter::line(std::string_view text) {
  text_.append(depth_ * kIndentation, ' ');
  text_ += text;
  text_ += '\n';
}

void YamlWriter::field(std::string_view key, std::string_view value) {
  line(std::string(key) + ": " + std::string(value));
}

void YamlWriter::comment(std::string_view text) {
  const std::size_t width = kWidth - depth_ * kIndentation - 2;
  while (text.size() > width) {
    const std::size_t space = text.rfind(' ', width);
    if (space == std::string_view::npos) break;
    line("# " + std::string(text.substr(0, space)));
    text.remove_prefix(space + 1);
  }
  line("# " + std::string(text));
}

YamlWriter::Block YamlWriter::block(std::string_view key) {
  line(std::string(key) + ":");
  return Block(*this);
}

YamlWriter::Block YamlWriter::item(std::string_view first_line) {
  line("- " + std::string(first_line));
  return Block(*this);
}

std::string scalar(std::string_view text) {
  return is_plain(text) ? std::string(text) : quoted(text);
}

std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string all = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      all += '\\';
      all += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      all += "\\x";
      all += kHex[byte >> 4U];
      all += kHex[byte & 0xfU];
    } else {
      all += c;
    }
  }
  return all + '"';
}

}  // namespace extproc::envoy_config
