#pragma once

#include "cli/options.h"

namespace extproc::cli {

/// Each runs one command to its end and gives the exit status. Throws Error with what is wrong and
/// what to do about it.
int run(ServeOptions options);
int run(const ConfigOptions& options);
int run(const CheckOptions& options);
int run(const DevOptions& options);
int run(const HealthOptions& options);

}  // namespace extproc::cli
