#pragma once

#include <cstddef>

namespace bench {

/// Changes of headers that Envoy was asked for.
extern std::size_t changes;

}  // namespace bench
