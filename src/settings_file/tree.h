#pragma once

#include <string>
#include <string_view>

#include "extproc/detail/setting_node.h"
#include "settings_file/errors.h"

namespace extproc::settings_file {

/// The text of a file of at most 1 MiB. Throws Error.
std::string read_file(const std::string& path);

/// One document of YAML. Keys that a mapping has twice go to `errors`; throws Error for what is no
/// YAML, or has what settings have no need of: aliases and anchors, tags, several documents, keys
/// that are no text, more than 32 levels or 20,000 values.
detail::SettingNode read_tree(std::string_view text, Errors& errors);

/// Whether a scalar is a text to YAML, and not a number, true, false or nothing.
bool is_text(const detail::SettingNode& scalar);

}  // namespace extproc::settings_file
