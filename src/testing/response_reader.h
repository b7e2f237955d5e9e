#pragma once

#include <string_view>

#include "envoy/kit/reply.h"
#include "extproc/testing.h"

namespace extproc::testing {

/// What a user's test sees of a reply. Of a header mutation the removes come first, as Envoy does
/// them.
ProcessingResponse to_response(envoy::Reply reply);

/// The same of a serialised ProcessingResponse. Throws protozero::exception when it is not one.
ProcessingResponse read_response(std::string_view bytes);

}  // namespace extproc::testing
