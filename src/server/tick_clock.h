#pragma once

#include <chrono>

namespace extproc::server {

/// The time of the kernel's last tick, some milliseconds old at most: a third of what the exact
/// time costs, which is noticed when it is asked for several times a stream. Of the same epoch.
std::chrono::steady_clock::time_point tick_time();

/// Whether ticks come at least every `interval`.
bool ticks_within(std::chrono::nanoseconds interval);

}  // namespace extproc::server
