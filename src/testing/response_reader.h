#pragma once

#include <string_view>

#include "extproc/testing.h"

namespace extproc::testing {

/// Reads a serialised ProcessingResponse. Throws protozero::exception when it is not one.
ProcessingResponse read_response(std::string_view bytes);

}  // namespace extproc::testing
