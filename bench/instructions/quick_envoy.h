#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "filter/abi.h"

namespace bench {

/// Changes of headers that Envoy was asked for.
extern std::size_t changes;

}  // namespace bench
