#pragma once

#include "options.h"

namespace bench::load {

/// Opens options.count streams, each with its first message answered, and holds them. Prints "open"
/// when all are, closes them when a line comes on standard input, prints "closed", and returns at
/// the next line. Throws when a stream ends by itself or is answered wrongly.
void run_idle(const Options& options);

}  // namespace bench::load
