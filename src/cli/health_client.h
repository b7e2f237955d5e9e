#pragma once

#include "cli/options.h"

namespace extproc::cli {

/// Asks a server once what its health is, in no more than the time of the options. Throws Error
/// unless it is SERVING, with the reason.
void require_serving(const HealthOptions& options);

}  // namespace extproc::cli
