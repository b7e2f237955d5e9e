#pragma once

#include <string_view>

#include "extproc/detail/setting_node.h"

namespace extproc::filter {

/// How errors name the text.
inline constexpr std::string_view kConfigName = "filter_config";

/// The tree of the text. One that begins with { is JSON, which Envoy also makes of a
/// google.protobuf.Struct; any other is YAML; an empty one says nothing. Throws Error, with the
/// line, for what is neither, a key that stands twice, and what setting_text limits.
detail::SettingNode read_config_text(std::string_view text);

}  // namespace extproc::filter
