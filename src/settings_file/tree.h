#pragma once

#include <string>
#include <string_view>

#include "extproc/detail/setting_node.h"
#include "settings_file/errors.h"

namespace extproc::settings_file {

/// The text of a file of at most 1 MiB. Throws Error.
std::string read_file(const std::string& path);

/// As setting_text::read_yaml() with the name of the file. Keys that a mapping has twice go to
/// `errors`.
detail::SettingNode read_tree(std::string_view text, Errors& errors);

/// Whether a scalar is a text to YAML, and not a number, true, false or nothing.
bool is_text(const detail::SettingNode& scalar);

}  // namespace extproc::settings_file
