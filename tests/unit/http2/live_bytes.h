#pragma once

#include <cstddef>

namespace extproc::testing {

/// What operator new has given and not got back, of the whole program. The difference of two is
/// what was kept in between; a large block may count for some more than was asked for.
std::size_t live_bytes();

}  // namespace extproc::testing
