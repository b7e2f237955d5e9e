#include "http2/frame_writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace extproc::http2 {

void FrameWriter::settings(const Limits& limits) {
  const std::pair<Setting, std::uint32_t> settings[] = {
      {Setting::max_concurrent_streams, limits.streams_per_connection},
      {Setting::initial_window_size, limits.stream_window_bytes},
      {Setting::max_header_list_size, limits.header_list_bytes},
      {Setting::no_rfc7540_priorities, 1},
  };
  constexpr std::size_t kBytes = std::size(settings) * kSettingBytes;
  FrameHeader{kBytes, FrameType::settings, 0, 0}.append_to(bytes_);
  for (const auto& [id, value] : settings) {
    char entry[kSettingBytes];
    write_u16(entry, static_cast<std::uint32_t>(id));
    write_u32(entry + 2, value);
    bytes_.append(entry, sizeof entry);
  }
}

void FrameWriter::settings_acknowledgement() {
  FrameHeader{0, FrameType::settings, flag::kAck, 0}.append_to(bytes_);
}

void FrameWriter::headers(std::int32_t stream, bool end_stream, std::span<const Header> headers) {
  const std::size_t begin = bytes_.size();
  bytes_.resize(begin + FrameHeader::kBytes);
  encoder_.encode(headers, bytes_);
  const std::size_t size = bytes_.size() - begin - FrameHeader::kBytes;
  FrameHeader frame{static_cast<std::uint32_t>(std::min(size, kMostFrameBytes)), FrameType::headers,
                    0, stream};
  if (end_stream) frame.flags |= flag::kEndStream;
  if (size <= kMostFrameBytes) frame.flags |= flag::kEndHeaders;
  frame.write(bytes_.data() + begin);

  // Only a status message of thousands of characters comes here.
  std::size_t at = begin + FrameHeader::kBytes + kMostFrameBytes;
  while (at < bytes_.size()) {
    const std::size_t left = bytes_.size() - at;
    frame = {static_cast<std::uint32_t>(std::min(left, kMostFrameBytes)), FrameType::continuation,
             left <= kMostFrameBytes ? flag::kEndHeaders : std::uint8_t{0}, stream};
    bytes_.insert(at, FrameHeader::kBytes, '\0');
    frame.write(bytes_.data() + at);
    at += FrameHeader::kBytes + frame.length;
  }
}

void FrameWriter::rst_stream(std::int32_t stream, ErrorCode code) {
  frame_of_u32(FrameType::rst_stream, stream, static_cast<std::uint32_t>(code));
}

void FrameWriter::window_update(std::int32_t stream, std::uint32_t increment) {
  frame_of_u32(FrameType::window_update, stream, increment);
}

void FrameWriter::frame_of_u32(FrameType type, std::int32_t stream, std::uint32_t value) {
  char bytes[FrameHeader::kBytes + sizeof value];
  FrameHeader{sizeof value, type, 0, stream}.write(bytes);
  write_u32(bytes + FrameHeader::kBytes, value);
  bytes_.append(bytes, sizeof bytes);
}

void FrameWriter::ping(std::string_view payload, bool acknowledgement) {
  FrameHeader{kPingBytes, FrameType::ping, acknowledgement ? flag::kAck : std::uint8_t{0}, 0}
      .append_to(bytes_);
  bytes_ += payload;
}

void FrameWriter::goaway(std::int32_t last_stream, ErrorCode code, std::string_view reason) {
  char bytes[8];
  write_u32(bytes, static_cast<std::uint32_t>(last_stream));
  write_u32(bytes + 4, static_cast<std::uint32_t>(code));
  FrameHeader{static_cast<std::uint32_t>(sizeof bytes + reason.size()), FrameType::goaway, 0, 0}
      .append_to(bytes_);
  bytes_.append(bytes, sizeof bytes);
  bytes_ += reason;
}

}  // namespace extproc::http2
