#pragma once

#include <string>

#include "settings_file/running.h"

namespace extproc::settings_file {

/// As serve_settings_file() and check_settings_file(), with flags.
int serve(Source source);
std::string check(Source source);

SettingsFile read(const std::string& path);

}  // namespace extproc::settings_file
