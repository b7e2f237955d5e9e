#include "http2/frame.h"

#include <array>

namespace extproc::http2 {

std::string_view to_string(ErrorCode code) {
  static constexpr std::array<std::string_view, 12> kNames = {
      "NO_ERROR",         "PROTOCOL_ERROR",    "INTERNAL_ERROR",   "FLOW_CONTROL_ERROR",
      "SETTINGS_TIMEOUT", "STREAM_CLOSED",     "FRAME_SIZE_ERROR", "REFUSED_STREAM",
      "CANCEL",           "COMPRESSION_ERROR", "CONNECT_ERROR",    "ENHANCE_YOUR_CALM"};
  const auto index = static_cast<std::size_t>(code);
  return index < kNames.size() ? kNames.at(index) : "unknown error";
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
