#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/own_settings.h"
#include "extproc/service.h"

namespace extproc::modules {

/// "module.Name", taken apart.
struct ServiceSpec {
  std::string module;
  std::string name;
};

/// Throws Error, which explains the form, for anything else.
ServiceSpec parse_service_spec(std::string_view text);

/// The folder of the program that runs; empty where it cannot be told.
std::filesystem::path program_folder();

/// The folders where modules are looked for, in order: those given, those of EXTPROC_MODULE_PATH,
/// `own`, the current one.
std::vector<std::filesystem::path> module_folders(
    const std::vector<std::string>& given, const std::filesystem::path& own = program_folder());

/// Loads the module, for as long as the process lives, and makes the processor. Throws Error with
/// what there is instead when the module or the name is not there, and with the reason when the
/// module does not fit this program. `settings` are the processor's own.
Service load_service(const ServiceSpec& spec, const std::vector<std::filesystem::path>& folders,
                     const OwnSettings& settings = {});

/// The processor `name` of what is linked into a file that is loaded already, by its handle;
/// nothing where there is no processor in it. Throws Error where there are others.
std::optional<Service> find_linked(void* handle, std::string_view name,
                                   const OwnSettings& settings);

}  // namespace extproc::modules
