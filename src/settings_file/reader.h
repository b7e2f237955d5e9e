#pragma once

#include "extproc/detail/setting_node.h"
#include "settings_file/errors.h"
#include "settings_file/plan.h"

namespace extproc::settings_file {

/// What the tree of a file says. What is wrong goes to `errors`, and is left out.
Plan read_plan(const detail::SettingNode& root, Errors& errors);

}  // namespace extproc::settings_file
