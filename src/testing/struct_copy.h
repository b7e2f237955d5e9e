#pragma once

#include "extproc/struct.h"

namespace extproc::testing {

/// Sets each field of `from` in `into`, as protobuf merges two Structs. Values deeper than protobuf
/// reads become null.
void merge(Struct& into, const StructView& from);

}  // namespace extproc::testing
