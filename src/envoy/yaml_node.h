#pragma once

#include <yaml-cpp/yaml.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace extproc::envoy_config {

/// A key and what it is set to, in a message of the configuration.
struct Field {
  YAML::Node key{YAML::NodeType::Undefined};
  YAML::Node value{YAML::NodeType::Undefined};

  explicit operator bool() const { return key.IsDefined(); }
};

/// The field of a message, under its proto name or as protobuf's JSON spells it; neither there nor
/// null: no field.
Field field(const YAML::Node& message, std::string_view name);

/// The value at the end of a path of fields; not defined when one is missing.
YAML::Node at(const YAML::Node& message, std::initializer_list<std::string_view> path);

/// "failureModeAllow" -> "failure_mode_allow".
std::string snake_case(std::string_view name);

/// Those of a list, or one value in its place.
std::vector<YAML::Node> items(const YAML::Node& node);

/// A number from 0; nothing for anything else.
std::optional<std::uint64_t> number(const YAML::Node& node);
/// The text of a scalar; empty for anything else.
std::string text(const YAML::Node& node);
/// What a bool is set to; false for anything else, as Envoy's default is.
bool is_true(const YAML::Node& node);
/// A protobuf duration ("0.2s", or its seconds and nanos); Envoy takes none below 0.
std::optional<std::chrono::nanoseconds> duration(const YAML::Node& node);

/// Whether it is a message in an Any of this type; only the name after the last dot is given.
bool has_type(const YAML::Node& node, std::string_view name);

}  // namespace extproc::envoy_config
