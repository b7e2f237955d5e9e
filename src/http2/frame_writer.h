#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/recycle.h"
#include "extproc/limits.h"
#include "http2/frame.h"
#include "http2/header_encoder.h"

namespace extproc::http2 {

/// All frames of this side but DATA, one behind the other, as they wait to be written. Header
/// blocks are encoded as they come, so that their order is that of the peer's table.
class FrameWriter {
 public:
  const std::string& bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  void clear() { recycle(bytes_, kMostKept); }

  void settings(const Limits& limits);
  void settings_acknowledgement();
  /// Continued in further frames where they are long.
  void headers(std::int32_t stream, bool end_stream, std::span<const Header> headers);
  void rst_stream(std::int32_t stream, ErrorCode code);
  /// Of the connection, for stream 0.
  void window_update(std::int32_t stream, std::uint32_t increment);
  void ping(std::string_view payload, bool acknowledgement);
  void goaway(std::int32_t last_stream, ErrorCode code, std::string_view reason);

  /// The peer's SETTINGS_HEADER_TABLE_SIZE.
  void limit_table(std::uint32_t bytes) { encoder_.limit_table(bytes); }

 private:
  /// Memory that is kept for the frames that follow.
  static constexpr std::size_t kMostKept = 4'096;

  void frame_of_u32(FrameType type, std::int32_t stream, std::uint32_t value);

  HeaderEncoder encoder_;
  std::string bytes_;
};

}  // namespace extproc::http2
