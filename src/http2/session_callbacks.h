#pragma once

#include <nghttp2/nghttp2.h>

#include "http2/stream.h"

namespace extproc::http2 {

/// What all sessions share: the functions that nghttp2 calls, and its options. Made once, on first
/// use.
const nghttp2_session_callbacks* session_callbacks();
const nghttp2_option* session_options();

/// `stream` as the source of DATA frames. Its bytes go from the stream's own buffer to the output,
/// without a copy between.
nghttp2_data_provider body_of(Stream& stream);

/// The payload of the PING of a graceful shutdown.
inline constexpr std::uint8_t kShutdownPing[8] = {'s', 'h', 'u', 't', 'd', 'o', 'w', 'n'};

}  // namespace extproc::http2
