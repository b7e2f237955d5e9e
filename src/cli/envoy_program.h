#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace extproc::cli {

/// The Envoy to start: the one given, that of ENVOY, one on the PATH, or the project's own in
/// build/venv. Throws Error, which says how to get one.
std::filesystem::path find_envoy(const std::optional<std::string>& given);

/// The folder of libextproc_envoy.so: one of ENVOY_DYNAMIC_MODULES_SEARCH_PATH, or of this program.
/// Throws Error, which says where it looked.
std::filesystem::path find_envoy_module();

}  // namespace extproc::cli
