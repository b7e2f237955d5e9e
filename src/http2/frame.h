#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace extproc::http2 {

// RFC 9113, section 6. A byte that is none of these is the type of an extension, and ignored.
enum class FrameType : std::uint8_t {
  data = 0,
  headers = 1,
  priority = 2,
  rst_stream = 3,
  settings = 4,
  push_promise = 5,
  ping = 6,
  goaway = 7,
  window_update = 8,
  continuation = 9,
};

namespace flag {
inline constexpr std::uint8_t kEndStream = 0x1;
inline constexpr std::uint8_t kAck = 0x1;
inline constexpr std::uint8_t kEndHeaders = 0x4;
inline constexpr std::uint8_t kPadded = 0x8;
inline constexpr std::uint8_t kPriority = 0x20;
}  // namespace flag

// RFC 9113, section 6.5.2, and RFC 9218 for the last.
enum class Setting : std::uint16_t {
  header_table_size = 1,
  enable_push = 2,
  max_concurrent_streams = 3,
  initial_window_size = 4,
  max_frame_size = 5,
  max_header_list_size = 6,
  no_rfc7540_priorities = 9,
};

// RFC 9113, section 7.
enum class ErrorCode : std::uint32_t {
  no_error = 0,
  protocol_error = 1,
  internal_error = 2,
  flow_control_error = 3,
  settings_timeout = 4,
  stream_closed = 5,
  frame_size_error = 6,
  refused_stream = 7,
  cancel = 8,
  compression_error = 9,
  connect_error = 10,
  enhance_your_calm = 11,
};

/// As RFC 9113 writes it: "PROTOCOL_ERROR".
std::string_view to_string(ErrorCode code);

inline constexpr std::size_t kSettingBytes = 6;
inline constexpr std::size_t kPingBytes = 8;
inline constexpr std::size_t kPriorityBytes = 5;
/// The payload of the PING of a graceful shutdown.
inline constexpr std::string_view kShutdownPing = "shutdown";

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What either side may have until it says otherwise, and this one never does: the payload of a
/// frame, the windows, the HPACK table.
inline constexpr std::size_t kMostFrameBytes = 16'384;
inline constexpr std::uint32_t kFirstWindow = 65'535;
inline constexpr std::uint32_t kFirstTableBytes = 4'096;
inline constexpr std::uint32_t kMostWindow = 0x7FFF'FFFF;
/// Of 32 bits, all that a stream id or a window's increment has.
inline constexpr std::uint32_t kMask31 = 0x7FFF'FFFF;

inline std::uint32_t read_u16(const char* from) {
  return std::uint32_t{static_cast<unsigned char>(from[0])} << 8U |
         std::uint32_t{static_cast<unsigned char>(from[1])};
}
inline std::uint32_t read_u32(const char* from) {
  return read_u16(from) << 16U | read_u16(from + 2);
}

inline void write_u16(char* to, std::uint32_t value) {
  to[0] = static_cast<char>(value >> 8U & 0xFFU);
  to[1] = static_cast<char>(value & 0xFFU);
}
inline void write_u32(char* to, std::uint32_t value) {
  write_u16(to, value >> 16U);
  write_u16(to + 2, value & 0xFFFFU);
}

/// What stands before the payload of each frame.
struct FrameHeader {
  static constexpr std::size_t kBytes = 9;

  std::uint32_t length;  ///< of the payload
  FrameType type;
  std::uint8_t flags;
  std::int32_t stream;

  bool has(std::uint8_t a_flag) const { return (flags & a_flag) != 0; }

  static FrameHeader read(const char* from) {
    return {read_u32(from) >> 8U, static_cast<FrameType>(from[3]),
            static_cast<std::uint8_t>(from[4]),
            static_cast<std::int32_t>(read_u32(from + 5) & kMask31)};
  }

  void write(char* to) const {
    write_u32(to, length << 8U | static_cast<std::uint32_t>(type));
    to[4] = static_cast<char>(flags);
    write_u32(to + 5, static_cast<std::uint32_t>(stream));
  }

  template <class Out>
  void append_to(Out& out) const {
    char bytes[kBytes];
    write(bytes);
    out.append(std::string_view(bytes, kBytes));
  }
};

/// Drops the padding of DATA and HEADERS. False when there is more of it than there are bytes.
bool drop_padding(const FrameHeader& frame, std::string_view& payload);

}  // namespace extproc::http2
