#pragma once

#include <string_view>

#include "extproc/detail/setting_node.h"

namespace extproc::filter {

/// How errors name the text.
inline constexpr std::string_view kConfigName = "filter_config";

/// The tree of a JSON text, which Envoy also makes of a google.protobuf.Struct; an empty text says
/// nothing. Throws Error, with the line, for what is no JSON, a key that stands twice, more than 1
/// MiB, 32 levels or 20,000 values.
detail::SettingNode read_config_text(std::string_view text);

}  // namespace extproc::filter
