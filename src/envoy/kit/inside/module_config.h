#pragma once

#include <string>
#include <string_view>

namespace extproc::testing::envoy {

/// The `filter_config` of a module's filter, as JSON whose lines are those of `yaml`: out of that
/// itself, a DynamicModuleFilter or DynamicModuleFilterPerRoute, or an entry of `http_filters`.
/// What it says of processors is left out: one is given. Throws EnvoyConfigError.
std::string read_module_config(std::string_view yaml);

}  // namespace extproc::testing::envoy
