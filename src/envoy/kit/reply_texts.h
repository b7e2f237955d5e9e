#pragma once

#include "envoy/kit/reply.h"

namespace extproc::testing::envoy {

/// Whether what protobuf calls a string (names of headers, details, namespaces) is UTF-8: a message
/// in which one is not, Envoy cannot decode.
bool texts_are_utf8(const Reply& reply);

}  // namespace extproc::testing::envoy
