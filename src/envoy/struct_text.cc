#include "envoy/struct_text.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "envoy/yaml_node.h"

namespace extproc::envoy_config {
namespace {

bool is_number(const std::string& text) {
  const auto digits = [&](std::size_t& at) {
    const std::size_t before = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at > before;
  };
  std::size_t at = text.starts_with('-') ? 1 : 0;
  if (!digits(at)) return false;
  if (at < text.size() && text[at] == '.' && !digits(++at)) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (!digits(at)) return false;
  }
  return at == text.size();
}

class JsonWriter {
 public:
  JsonWriter(std::string& out, std::span<const std::string_view> left_out)
      : out_(out), left_out_(left_out) {}

  void mapping(const YAML::Node& node, bool outermost) {
    move_to(node);
    out_.push_back('{');
    bool first = true;
    for (const auto& entry : node) {
      const std::string name = text(entry.first);
      if (outermost && std::ranges::find(left_out_, name) != left_out_.end()) continue;
      if (!std::exchange(first, false)) out_.push_back(',');
      move_to(entry.first);
      quote(name);
      out_.push_back(':');
      value(entry.second);
    }
    out_.push_back('}');
  }

 private:
  void value(const YAML::Node& node) {
    if (node.IsMap()) return mapping(node, false);
    move_to(node);
    if (node.IsSequence()) return list(node);
    const std::string scalar = text(node);
    const bool plain = node.Tag() != "!";
    if (node.IsNull()) {
      out_.append("null");
    } else if (plain && (scalar == "true" || scalar == "false" || is_number(scalar))) {
      out_.append(scalar);
    } else {
      quote(scalar);
    }
  }

  void list(const YAML::Node& node) {
    out_.push_back('[');
    for (std::size_t i = 0; i < node.size(); ++i) {
      if (i > 0) out_.push_back(',');
      value(node[i]);
    }
    out_.push_back(']');
  }

  void move_to(const YAML::Node& node) {
    for (; line_ < node.Mark().line; ++line_) out_.push_back('\n');
  }

  void quote(const std::string& text) {
    out_.push_back('"');
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < ' ') {
        std::array<char, 8> escaped{};
        std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(c));
        out_.append(escaped.data());
        continue;
      }
      if (c == '"' || c == '\\') out_.push_back('\\');
      out_.push_back(c);
    }
    out_.push_back('"');
  }

  std::string& out_;
  std::span<const std::string_view> left_out_;
  int line_ = 0;
};

}  // namespace

std::string struct_text(const YAML::Node& fields, std::span<const std::string_view> left_out) {
  std::string text;
  JsonWriter(text, left_out).mapping(fields, true);
  return text;
}

}  // namespace extproc::envoy_config
