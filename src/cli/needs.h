#pragma once

#include <vector>

#include "cli/options.h"
#include "envoy/needs.h"

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

}  // namespace extproc::cli
