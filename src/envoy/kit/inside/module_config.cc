#include "envoy/kit/inside/module_config.h"

#include <yaml-cpp/yaml.h>

#include <array>
#include <string_view>

#include "envoy/kit/filter_yaml.h"
#include "envoy/struct_text.h"
#include "envoy/yaml_node.h"
#include "extproc/error.h"
#include "extproc/testing/envoy.h"
#include "filter/config_text.h"

namespace extproc::testing::envoy {
namespace {

constexpr std::array<std::string_view, 3> kOfProcessors = {"processors", "settings", "module_path"};

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
  if (!config.IsDefined() || config.IsNull()) return {};
  if (!config.IsMap()) throw EnvoyConfigError("filter_config must be a mapping");
  return envoy_config::struct_text(config, kOfProcessors);
}

}  // namespace extproc::testing::envoy
