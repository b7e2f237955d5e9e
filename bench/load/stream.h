#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace bench::load {

using Clock = std::chrono::steady_clock;

/// How far one call has come in its script. Small, because a hundred thousand may be open.
struct Stream {
  std::int32_t id = 0;
  std::uint32_t step = 0;         ///< the next to be sent
  std::uint32_t answers = 0;      ///< complete ones
  std::uint32_t sent = 0;         ///< bytes of that step that were sent
  std::uint32_t answer_left = 0;  ///< bytes missing of the answer that is arriving
  std::uint8_t prefix_size = 0;   ///< how much of its gRPC prefix has come
  unsigned char prefix[5] = {};
  bool at_first_byte = false;
  bool deferred = false;   ///< nghttp2 waits for nghttp2_session_resume_data
  bool finishing = false;  ///< END_STREAM is due
  bool failed = false;
  Clock::time_point opened;
};

}  // namespace bench::load
