#pragma once

#include <string>
#include <vector>

#include "settings_file/running.h"

namespace extproc::settings_file {

/// As serve_settings_file() and check_settings_file(), with flags.
int serve(Source source);
std::string check(Source source);

/// The services, for whoever serves none. Certificates are not read. Throws Error.
std::vector<Described> describe(Source source);

SettingsFile read(const std::string& path);

}  // namespace extproc::settings_file
