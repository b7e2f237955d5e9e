#pragma once

#include <functional>
#include <optional>
#include <string>

#include "extproc/trace_settings.h"

namespace extproc::trace {

/// The value of an environment variable, or nothing.
using Lookup = std::function<std::optional<std::string>(const char* name)>;

/// As TraceSettings::from_environment(), of any environment. A variable that is empty is not set.
std::optional<TraceSettings> settings_from(const Lookup& environment);

/// Throws Error at the first value that is wrong.
void check(const TraceSettings& settings);

}  // namespace extproc::trace
