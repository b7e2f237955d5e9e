#pragma once

#include <cstddef>
#include <string>

namespace extproc::server {

/// Limits::memory_bytes where it is not set: a quarter of what the process may use, at most 1 GiB.
std::size_t default_memory_bytes();

/// What the process may use, in bytes: the least limit of its cgroup and of those that it is in,
/// where there is one; else the machine's memory. `root` is in front of all paths, for tests.
std::size_t usable_memory(const std::string& root = {});

}  // namespace extproc::server
