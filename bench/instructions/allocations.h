#pragma once

#include <cstddef>

namespace bench {

/// Whether calls of operator new are counted from now on. They aren't at first.
void count_allocations(bool on);
/// Those that were counted since the last call.
std::size_t take_allocations();

}  // namespace bench
