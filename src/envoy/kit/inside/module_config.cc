#include "envoy/kit/inside/module_config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "envoy/kit/filter_yaml.h"
#include "envoy/yaml_node.h"
#include "extproc/error.h"
#include "extproc/testing/envoy.h"
#include "filter/config_text.h"

namespace extproc::testing::envoy {
namespace {

constexpr std::array<std::string_view, 3> kOfProcessors = {"processors", "settings", "module_path"};

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

/// As Envoy makes it of a Struct, on the same lines.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void mapping(const YAML::Node& node, bool outermost) {
    move_to(node);
    out_.push_back('{');
    bool first = true;
    for (const auto& entry : node) {
      const std::string name = envoy_config::text(entry.first);
      if (outermost && std::ranges::find(kOfProcessors, name) != kOfProcessors.end()) continue;
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
    const std::string text = envoy_config::text(node);
    const bool plain = node.Tag() != "!";
    if (node.IsNull()) {
      out_.append("null");
    } else if (plain && (text == "true" || text == "false" || is_number(text))) {
      out_.append(text);
    } else {
      quote(text);
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
  int line_ = 0;
};

/// As the filter reads it: what it would not take is no YAML to it.
YAML::Node load_text(const std::string& text) {
  try {
    filter::read_config_text(text);
  } catch (const Error& error) {
    throw EnvoyConfigError(error.what());
  }
  return load_yaml(text);
}

/// The filter_config, out of what may stand around it.
YAML::Node config_in(YAML::Node root) {
  if (root.IsSequence() && root.size() == 1) root.reset(root[0]);
  if (const auto typed = envoy_config::field(root, "typed_config")) root.reset(typed.value);
  if (envoy_config::has_type(root, "route.v3.FilterConfig")) {
    if (envoy_config::is_true(envoy_config::field(root, "disabled").value))
      return YAML::Load("{disabled: true}");
    root.reset(envoy_config::field(root, "config").value);
  }
  if (envoy_config::has_type(root, "DynamicModuleFilter") ||
      envoy_config::has_type(root, "DynamicModuleFilterPerRoute")) {
    const auto config = envoy_config::field(root, "filter_config");
    root.reset(config ? config.value : YAML::Node(YAML::NodeType::Map));
  }
  // Any of the messages that it may be.
  if (!root.IsMap() || !root["@type"]) return root;
  const bool is_struct = envoy_config::has_type(root, "protobuf.Struct");
  if (!is_struct && !envoy_config::has_type(root, "protobuf.StringValue"))
    throw EnvoyConfigError(
        envoy_config::text(root["@type"]) +
        " is no filter_config: write a google.protobuf.Struct or StringValue, or "
        "what is in it");
  const auto value = envoy_config::field(root, "value");
  if (!value) return YAML::Node(YAML::NodeType::Map);
  return is_struct ? value.value : load_text(envoy_config::text(value.value));
}

}  // namespace

std::string read_module_config(std::string_view yaml) {
  const YAML::Node config = config_in(load_yaml(yaml));
  std::string json;
  if (!config.IsDefined() || config.IsNull()) return json;
  if (!config.IsMap()) throw EnvoyConfigError("filter_config must be a mapping");
  JsonWriter(json).mapping(config, true);
  return json;
}

}  // namespace extproc::testing::envoy
