#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "extproc/detail/setting_node.h"

namespace extproc::setting_text {

/// Told of a key that a mapping has a second time.
using KeyTwice = std::function<void(int line, std::string why)>;

/// The tree of one document of YAML; of an empty one it is nothing. Throws Error, with `name` and
/// the line, for what is no YAML, or has what settings have no need of: aliases and anchors, tags,
/// several documents, keys that are no text, more than 1 MiB, 32 levels or 20,000 values.
detail::SettingNode read_yaml(std::string_view text, const std::string& name,
                              const KeyTwice& twice);

}  // namespace extproc::setting_text
