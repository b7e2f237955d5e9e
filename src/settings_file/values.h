#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "extproc/detail/setting_node.h"
#include "extproc/processing_mode.h"
#include "server/settings_table.h"
#include "settings_file/errors.h"

namespace extproc::settings_file {

/// What a value is, for people: a list, "7".
std::string shown(const detail::SettingNode& node);

// What is wrong goes to `errors`, under the name that is given; then there is nothing.

/// As a flag is given it.
std::optional<std::string> row_text(const server::SettingRow& row, const detail::SettingNode& node,
                                    Errors& errors);
/// A text that is not empty.
std::optional<std::string> text_of(std::string_view name, const detail::SettingNode& node,
                                   Errors& errors);
/// As {response_body_mode: STREAMED}: the fields of Envoy's ProcessingMode.
std::optional<ModeOverride> override_of(const detail::SettingNode& node, Errors& errors);

}  // namespace extproc::settings_file
