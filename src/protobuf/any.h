#pragma once

#include <string_view>

#include "extproc/context.h"

namespace extproc::protobuf {

/// Reads a `google.protobuf.Any`. What is not protobuf gives an empty one.
TypedValue read_any(std::string_view bytes);

}  // namespace extproc::protobuf
