#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "settings_file/plan.h"

namespace extproc::settings_file {

/// What flags say, which is stronger than a file.
struct Overlay {
  Common common{};
  /// One for each service, or one.
  std::vector<std::string> listen{};
  /// In place of the services of the file.
  std::vector<std::string> processors{};
  /// They are a service each, and not one chain.
  bool separate = false;
  std::vector<std::string> module_path{};
  /// Taken where neither a flag nor the file gives it; stronger than the environment.
  std::optional<Given> otherwise{};
};

/// The services of a plan under what flags say, with all that counts for each. Throws Error.
std::vector<PlannedService> combine(const Plan& plan, const Overlay& overlay);

/// The addresses of several services, each of its own: those of --listen, or ports one after
/// another from that of the settings and the environment on. Throws Error.
std::vector<std::string> own_addresses(std::size_t services, const std::vector<std::string>& listen,
                                       const Settings& settings);

}  // namespace extproc::settings_file
