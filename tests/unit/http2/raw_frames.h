#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http2/session_fixture.h"

// Frames written by hand, for what a client that keeps to the protocol does not send.
namespace extproc::http2::testing {

inline constexpr auto kData = FrameType::data;
inline constexpr auto kHeaders = FrameType::headers;
inline constexpr auto kContinuation = FrameType::continuation;

inline std::string frame(FrameType type, std::uint8_t flags, std::int32_t id,
                         std::string_view payload) {
  std::string bytes;
  FrameHeader{static_cast<std::uint32_t>(payload.size()), type, flags, id}.append_to(bytes);
  bytes += payload;
  return bytes;
}

inline std::string u32(std::uint32_t value) {
  std::string bytes(4, '\0');
  write_u32(bytes.data(), value);
  return bytes;
}

inline std::string setting(Setting id, std::uint32_t value) {
  std::string bytes(2, '\0');
  write_u16(bytes.data(), static_cast<std::uint32_t>(id));
  return bytes + u32(value);
}

inline std::string settings(std::string_view entries) {
  return frame(FrameType::settings, 0, 0, entries);
}
inline std::string window_update(std::int32_t id, std::uint32_t by) {
  return frame(FrameType::window_update, 0, id, u32(by));
}

// POST http /, of HPACK's static table, and what may follow: literals that are not added.
inline const std::string kRequest = "\x83\x86\x84";
inline std::string literal(std::string_view name, std::string_view value) {
  std::string bytes(1, '\0');
  for (const std::string_view text : {name, value}) {
    bytes += static_cast<char>(text.size());
    bytes += text;
  }
  return bytes;
}
inline std::string request(std::int32_t id, std::uint8_t more_flags = 0,
                           std::string_view headers = {}) {
  return frame(kHeaders, flag::kEndHeaders | more_flags, id, kRequest + std::string(headers));
}

class FramesTest : public SessionTest {
 protected:
  FramesTest() { begin(); }

  /// A new connection on which streams 1 and 3 are open, and 5 was reset by the peer.
  void begin() {
    streams.clear();
    connect();
    session->receive(kPreface);
    session->receive(settings({}));
    session->receive(frame(FrameType::settings, flag::kAck, 0, {}));
    for (const int id : {1, 3, 5}) session->receive(request(id));
    session->receive(frame(FrameType::rst_stream, 0, 5, u32(8)));
    take_output();
  }

  /// The RST_STREAM frames in the output: the stream, and the code.
  std::vector<std::pair<std::int32_t, ErrorCode>> resets() {
    std::vector<std::pair<std::int32_t, ErrorCode>> found;
    const std::string out = take_output();
    for (std::size_t at = 0; at < out.size();) {
      const FrameHeader header = FrameHeader::read(out.data() + at);
      if (header.type == FrameType::rst_stream)
        found.emplace_back(header.stream, ErrorCode{read_u32(out.data() + at + 9)});
      at += FrameHeader::kBytes + header.length;
    }
    return found;
  }
};

}  // namespace extproc::http2::testing
