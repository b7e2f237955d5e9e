#pragma once

#include <extproc/settings.h>

#include <string>

namespace test_processors {

/// Sets what "name=value" says: the four of Settings::filter (times in milliseconds), early_end,
/// automatic_mode_override, reveal_chain ("on" is true). Throws std::invalid_argument for another
/// name.
void set_setting(extproc::Settings& settings, const std::string& text);

}  // namespace test_processors
