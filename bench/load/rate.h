#pragma once

#include <iosfwd>

#include "options.h"

namespace bench::load {

/// An open loop: streams come at `options.rate` a second, at random times, for `options.seconds`,
/// whatever becomes of those before. One without its last answer after `options.reset_after` is
/// given up, as Envoy does at its message_timeout. Prints JSON: how many were answered in time, and
/// what became of the others.
void run_rate(const Options& options, std::ostream& out);

}  // namespace bench::load
