#pragma once

#include <string>
#include <string_view>

#include "extproc/detail/setting_node.h"

namespace extproc::setting_text {

/// The tree of a JSON text. Throws Error, with `name` and the line, for what is no JSON, a key that
/// stands twice, more than 1 MiB, 32 levels or 20,000 values.
detail::SettingNode read_json(std::string_view text, const std::string& name);

}  // namespace extproc::setting_text
