#pragma once

#include <extproc/settings.h>

#include <string>

namespace test_processors {

/// Sets what "name=value" says: those of Settings::filter (times in milliseconds; of allowed modes
/// a digit for each field, in the order of their numbers, separated by commas), early_end,
/// automatic_mode_override, reveal_chain ("on" is true), traces (a URL). Throws
/// std::invalid_argument for another name.
void set_setting(extproc::Settings& settings, const std::string& text);

}  // namespace test_processors
