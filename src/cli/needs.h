#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "envoy/needs.h"
#include "extproc/service.h"

namespace extproc::cli {

/// What the processors need of their filters: one set for a chain, one each with --separate.
/// `filter` is what the filters are set to, or their servers are told of them. Loads the
/// processors; throws Error.
std::vector<envoy_config::Needs> needs_of(const ServiceOptions& which, const NeedsOptions& options,
                                          const FilterSettings& filter);

/// The same, one set for each processor.
std::vector<envoy_config::Needs> needs_of_each(const ServiceOptions& which,
                                               const NeedsOptions& options,
                                               const FilterSettings& filter);

/// The same of processors that are loaded; `chain_header` as envoy_config::Needs has it.
std::vector<envoy_config::Needs> needs_of_each(const std::vector<Service>& processors,
                                               const std::string& chain_header,
                                               const NeedsOptions& options,
                                               const FilterSettings& filter);

}  // namespace extproc::cli
