#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "extproc/service.h"
#include "extproc/settings.h"
#include "settings_file/running.h"

namespace extproc::cli {

/// The services that were asked for, in order, not put together. Throws Error.
std::vector<Service> load_services(const ServiceOptions& options);

/// What is served: several services each on an address of its own with --separate, else as one
/// chain. `listen` are the addresses that were given. Throws Error.
std::vector<Service> make_services(const ServiceOptions& options,
                                   const std::vector<std::string>& listen, Settings& settings);

/// The settings file, under `flags` and those of `which`.
settings_file::Source source_of(const ServiceOptions& which, settings_file::Overlay flags);

}  // namespace extproc::cli
