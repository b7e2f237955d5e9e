#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "envoy/write/documents.h"

namespace extproc::cli {

/// Where processors are and what their clusters are called, as far as flags say so.
struct Placement {
  std::vector<std::string> addresses{};
  std::vector<std::string> cluster_names{};
  /// Set: an address that is not given is that of a Kubernetes service in it.
  std::optional<std::string> kubernetes_namespace{};
};

/// One processor for each set of needs. Throws Error.
std::vector<envoy_config::Processor> place(const std::vector<envoy_config::Needs>& needs,
                                           const Placement& placement);

/// They run inside Envoy, as they were chosen.
void put_inside(std::vector<envoy_config::Processor>& processors, const ServiceOptions& which);
/// Folders of modules, as absolute paths.
std::vector<std::string> absolute_folders(const std::vector<std::string>& module_path);

}  // namespace extproc::cli
