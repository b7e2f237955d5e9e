#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/own_settings.h"
#include "extproc/service.h"

namespace extproc::cli {

/// "module.Name", taken apart.
struct ServiceSpec {
  std::string module;
  std::string name;
};

/// Throws Error, which explains the form, for anything else.
ServiceSpec parse_service_spec(std::string_view text);

/// The folders where modules are looked for, in order: those given, those of EXTPROC_MODULE_PATH,
/// the program's own, the current one.
std::vector<std::filesystem::path> module_folders(const std::vector<std::string>& given);

/// Loads the module, for as long as the process lives, and makes the processor. Throws Error with
/// what there is instead when the module or the name is not there, and with the reason when the
/// module does not fit this program. `settings` are the processor's own.
Service load_service(const ServiceSpec& spec, const std::vector<std::filesystem::path>& folders,
                     const OwnSettings& settings = {});

}  // namespace extproc::cli
