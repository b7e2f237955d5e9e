#pragma once

#include "metrics/families.h"

namespace extproc::metrics {

/// Adds the process_* metrics that Prometheus's own libraries have, as far as the system tells
/// them.
void add_process(Families& families);

}  // namespace extproc::metrics
