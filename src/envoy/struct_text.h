#pragma once

#include <span>
#include <string>
#include <string_view>

namespace YAML {
class Node;
}

namespace extproc::envoy_config {

/// The JSON that Envoy makes of a google.protobuf.Struct, for a dynamic module, but on the lines
/// that its fields stand on. `fields`: a mapping; of its own keys those in `left_out` are left out.
std::string struct_text(const YAML::Node& fields, std::span<const std::string_view> left_out = {});

}  // namespace extproc::envoy_config
