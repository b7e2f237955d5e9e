#pragma once

#include <vector>

#include "cli/options.h"
#include "envoy/needs.h"

namespace extproc::cli {

/// What the processors need of their filters: one set for a chain, one each with --separate. Loads
/// them; throws Error.
std::vector<envoy_config::Needs> needs_of(const ServiceOptions& which, const NeedsOptions& options);

/// The same, one set for each processor.
std::vector<envoy_config::Needs> needs_of_each(const ServiceOptions& which,
                                               const NeedsOptions& options);

}  // namespace extproc::cli
