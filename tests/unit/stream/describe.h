#pragma once

#include <string>
#include <string_view>

namespace extproc::stream {

/// A serialised ProcessingResponse as one line, all of it: "request_body set a=1 body=\"x\"",
/// "request_body streamed=\"x\",end", "immediate 403 \"no\"", "head :status=200", "chunk
/// \"x\",end", "trailers a=1", "more-time 500ms", "window 10/0". Fields besides the oneof follow
/// it.
std::string describe(std::string_view response);

}  // namespace extproc::stream
