#include "http2/frame.h"

#include <nghttp2/nghttp2.h>

namespace extproc::http2 {

std::string_view to_string(ErrorCode code) {
  return nghttp2_http2_strerror(static_cast<std::uint32_t>(code));
}

bool drop_padding(const FrameHeader& frame, std::string_view& payload) {
  if (!frame.has(flag::kPadded)) return true;
  if (payload.empty()) return false;
  const std::size_t padding = static_cast<unsigned char>(payload.front());
  payload.remove_prefix(1);
  if (padding > payload.size()) return false;
  payload.remove_suffix(padding);
  return true;
}

}  // namespace extproc::http2
