#pragma once

#include <extproc/limits.h>

#include <string_view>

namespace hostile {

/// Sets what "name=value" says: a member of Limits, times in milliseconds. Throws
/// std::invalid_argument for another name.
void set_limit(extproc::Limits& limits, std::string_view text);

}  // namespace hostile
