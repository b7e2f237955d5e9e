#pragma once

#include <filesystem>

#include "extproc/service.h"
#include "filter/filter_config.h"

namespace extproc::filter {

/// The folder of the file that this is in.
std::filesystem::path own_folder();

/// The service of what `config` names: one processor, or a chain. Their modules stay loaded. Throws
/// Error.
Service make_service(const FilterConfig& config);

}  // namespace extproc::filter
