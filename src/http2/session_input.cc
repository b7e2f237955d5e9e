// The receiving half of Session: bytes to frames, and what each frame does.

#include <algorithm>
#include <limits>
#include <utility>

#include "http2/session.h"

namespace extproc::http2 {
namespace {

/// Each may change the window of every stream.
constexpr std::size_t kMostSettings = 32;
/// Memory of `partial_` that is kept for the next frame that a read cuts.
constexpr std::size_t kMostPartialKept = 4'096;
constexpr std::size_t kPriorityBytes = 5;
/// What Envoy opens on a new connection before it has seen SETTINGS.
constexpr std::size_t kMostStreamsBeforeSettings = 1'024;

/// Drops the padding of DATA and HEADERS. False when there is more of it than there are bytes.
bool drop_padding(const FrameHeader& frame, std::string_view& payload) {
  if (!frame.has(flag::kPadded)) return true;
  if (payload.empty()) return false;
  const std::size_t padding = static_cast<unsigned char>(payload.front());
  payload.remove_prefix(1);
  if (padding > payload.size()) return false;
  payload.remove_suffix(padding);
  return true;
}

}  // namespace

bool Session::receive(std::string_view bytes) {
  if (!error_.empty()) return false;
  if (preface_left_ > 0) bytes = take_preface(bytes);
  if (!partial_.empty()) bytes = complete_partial(bytes);
  while (error_.empty() && bytes.size() >= FrameHeader::kBytes) {
    const FrameHeader frame = FrameHeader::read(bytes.data());
    if (frame.length > kMostFrameBytes) {
      terminate(ErrorCode::frame_size_error, "a frame is over the limit of 16384 bytes");
      break;
    }
    if (bytes.size() - FrameHeader::kBytes < frame.length) break;
    take_frame(frame, bytes.substr(FrameHeader::kBytes, frame.length));
    bytes.remove_prefix(FrameHeader::kBytes + frame.length);
  }
  if (error_.empty()) partial_ += bytes;
  if (frames_.size() > most_frames_bytes_) {
    terminate(ErrorCode::enhance_your_calm, "too many frames wait for a peer that does not read");
  }
  return error_.empty();
}

std::string_view Session::take_preface(std::string_view bytes) {
  const std::string_view expected = kPreface.substr(kPreface.size() - preface_left_);
  const std::size_t count = std::min(expected.size(), bytes.size());
  if (bytes.substr(0, count) != expected.substr(0, count)) {
    terminate(ErrorCode::protocol_error, "no HTTP/2 connection preface");
    return {};
  }
  preface_left_ -= count;
  return bytes.substr(count);
}

/// Adds what the frame in `partial_` lacks, takes it when it is complete, and returns the rest.
std::string_view Session::complete_partial(std::string_view bytes) {
  const auto add = [&](std::size_t until) {
    const std::size_t count = std::min(until - partial_.size(), bytes.size());
    partial_ += bytes.substr(0, count);
    bytes.remove_prefix(count);
    return partial_.size() == until;
  };
  if (partial_.size() < FrameHeader::kBytes && !add(FrameHeader::kBytes)) return {};
  const FrameHeader frame = FrameHeader::read(partial_.data());
  if (frame.length > kMostFrameBytes) {
    terminate(ErrorCode::frame_size_error, "a frame is over the limit of 16384 bytes");
    return {};
  }
  if (!add(FrameHeader::kBytes + frame.length)) return {};
  take_frame(frame, std::string_view(partial_).substr(FrameHeader::kBytes));
  if (partial_.capacity() > kMostPartialKept) partial_ = std::string();
  partial_.clear();
  return bytes;
}

void Session::take_frame(const FrameHeader& frame, std::string_view payload) {
  if (!established_ && (frame.type != FrameType::settings || frame.has(flag::kAck))) {
    return terminate(ErrorCode::protocol_error, "the first frame is not SETTINGS");
  }
  if (continued_id_ != 0 &&
      (frame.type != FrameType::continuation || frame.stream != continued_id_)) {
    return terminate(ErrorCode::protocol_error, "a frame within a header block");
  }
  switch (frame.type) {
    case FrameType::data:
      return on_data(frame, payload);
    case FrameType::headers:
      return on_headers(frame, payload);
    case FrameType::priority:
      return on_priority(frame, payload);
    case FrameType::rst_stream:
      return on_rst_stream(frame);
    case FrameType::settings:
      return on_settings(frame, payload);
    case FrameType::push_promise:
      return terminate(ErrorCode::protocol_error, "PUSH_PROMISE from a client");
    case FrameType::ping:
      return on_ping(frame, payload);
    case FrameType::goaway:
      return on_goaway(frame);
    case FrameType::window_update:
      return on_window_update(frame, payload);
    case FrameType::continuation:
      return on_continuation(frame, payload);
  }
}

void Session::on_data(const FrameHeader& frame, std::string_view payload) {
  if (idle(frame.stream)) {
    return terminate(ErrorCode::protocol_error, "DATA on a stream that is not open");
  }
  give_connection_credit(frame.length);
  if (!drop_padding(frame, payload)) {
    return terminate(ErrorCode::protocol_error, "DATA with too much padding");
  }
  Stream* stream = find(frame.stream);
  if (stream == nullptr) return;
  if (stream->remote_ended_) return reset(*stream, ErrorCode::stream_closed);

  // Until the peer has acknowledged it, it may not know of a smaller window.
  const std::uint32_t window =
      settings_acknowledged_ ? stream_window_ : std::max(stream_window_, kFirstWindow);
  stream->received_ += frame.length;
  if (frame.length > 0 && stream->received_ > window) {
    return reset(*stream, ErrorCode::flow_control_error);
  }
  if (payload.size() < frame.length) give_credit(*stream, frame.length - payload.size());
  if (stream->body_left_ >= 0) {
    stream->body_left_ -= static_cast<std::int64_t>(payload.size());
    if (stream->body_left_ < 0) return reset(*stream, ErrorCode::protocol_error);
  }
  if (!payload.empty()) stream->on_data(payload);
  if (frame.has(flag::kEndStream)) end_remote(*stream);
}

void Session::give_connection_credit(std::uint32_t bytes) {
  // At most half a window and one frame are withheld, so that the peer cannot go beyond it.
  received_ += bytes;
  if (received_ < connection_window_ / 2) return;
  append_window_update(0, std::exchange(received_, 0));
}

void Session::on_headers(const FrameHeader& frame, std::string_view payload) {
  if (frame.stream % 2 == 0) {
    return terminate(ErrorCode::protocol_error, "HEADERS on a stream that no client can open");
  }
  if (!drop_padding(frame, payload)) {
    return terminate(ErrorCode::protocol_error, "HEADERS with too much padding");
  }
  if (frame.has(flag::kPriority)) {
    if (payload.size() < kPriorityBytes) {
      return terminate(ErrorCode::frame_size_error, "HEADERS too short for its priority");
    }
    if (!check_priority(frame, payload)) return;
    payload.remove_prefix(kPriorityBytes);
  }
  const bool end_stream = frame.has(flag::kEndStream);
  if (frame.has(flag::kEndHeaders)) return take_header_block(frame.stream, end_stream, payload);
  continued_id_ = frame.stream;
  continued_end_stream_ = end_stream;
  block_ = payload;
}

void Session::on_continuation(const FrameHeader& frame, std::string_view payload) {
  if (continued_id_ == 0) {
    return terminate(ErrorCode::protocol_error, "CONTINUATION of no header block");
  }
  if (block_.size() + payload.size() > most_block_bytes_) {
    return terminate(ErrorCode::enhance_your_calm, "a header block over the limit");
  }
  block_ += payload;
  if (!frame.has(flag::kEndHeaders)) return;
  const std::string block = std::exchange(block_, {});
  take_header_block(std::exchange(continued_id_, 0), continued_end_stream_, block);
}

void Session::take_header_block(std::int32_t id, bool end_stream, std::string_view block) {
  if (Stream* stream = find(id)) return take_trailers(*stream, end_stream, block);
  if (!idle(id)) {
    skip_headers(block);
    return;
  }
  last_id_ = id;
  if (last_goaway_sent_) {
    skip_headers(block);
    return;
  }
  last_taken_id_ = id;
  if (streams_.size() >= most_streams()) {
    if (skip_headers(block)) append_rst_stream(id, ErrorCode::refused_stream);
    return;
  }
  take_request(id, end_stream, block);
}

void Session::take_request(std::int32_t id, bool end_stream, std::string_view block) {
  beginning_id_ = id;
  if (decoder_.remembers(block)) {
    handler_.on_same_request();
  } else {
    RequestCheck check(RequestCheck::Part::headers);
    handler_.on_request_begin();
    if (!decode(block, [&](std::string_view name, std::string_view value) {
          check.add(name, value);
          handler_.on_request_header(name, value);
        }))
      return;
    if (!check.passed()) return append_rst_stream(id, ErrorCode::protocol_error);
    content_length_ = check.content_length().value_or(StreamState::kNoLength);
    decoder_.remember(block);
    handler_.on_request();
  }
  if (end_stream) end_remote(*accepted_);
}

void Session::take_trailers(Stream& stream, bool end_stream, std::string_view block) {
  RequestCheck check(RequestCheck::Part::trailers);
  if (!decode(block, [&](std::string_view name, std::string_view value) { check.add(name, value); }))
    return;
  if (stream.remote_ended_) return reset(stream, ErrorCode::stream_closed);
  if (!end_stream || !check.passed()) return reset(stream, ErrorCode::protocol_error);
  end_remote(stream);
}

bool Session::skip_headers(std::string_view block) {
  return decoder_.remembers(block) || decode(block, [](std::string_view, std::string_view) {});
}

template <class Each>
bool Session::decode(std::string_view block, const Each& each) {
  if (decoder_.decode(block, each)) return true;
  terminate(ErrorCode::compression_error, "a header block cannot be decoded");
  return false;
}

void Session::end_remote(Stream& stream) {
  if (stream.body_left_ > 0) return reset(stream, ErrorCode::protocol_error);
  stream.remote_ended_ = true;
  stream.on_end_stream();
}

void Session::on_priority(const FrameHeader& frame, std::string_view payload) {
  if (frame.length != kPriorityBytes) {
    return terminate(ErrorCode::frame_size_error, "PRIORITY not of 5 bytes");
  }
  if (frame.stream == 0) return terminate(ErrorCode::protocol_error, "PRIORITY on no stream");
  check_priority(frame, payload);
}

bool Session::check_priority(const FrameHeader& frame, std::string_view payload) {
  if ((read_u32(payload.data()) & kMask31) != static_cast<std::uint32_t>(frame.stream)) return true;
  terminate(ErrorCode::protocol_error, "a stream that depends on itself");
  return false;
}

void Session::on_rst_stream(const FrameHeader& frame) {
  if (frame.length != 4) {
    return terminate(ErrorCode::frame_size_error, "RST_STREAM not of 4 bytes");
  }
  if (idle(frame.stream)) {
    return terminate(ErrorCode::protocol_error, "RST_STREAM on a stream that is not open");
  }
  if (Stream* stream = find(frame.stream)) close(*stream);
}

void Session::on_settings(const FrameHeader& frame, std::string_view payload) {
  if (frame.stream != 0) return terminate(ErrorCode::protocol_error, "SETTINGS on a stream");
  if (frame.has(flag::kAck)) {
    if (frame.length != 0) {
      return terminate(ErrorCode::frame_size_error, "SETTINGS acknowledged with a payload");
    }
    settings_acknowledged_ = true;
    return;
  }
  if (frame.length % kSettingBytes != 0) {
    return terminate(ErrorCode::frame_size_error, "SETTINGS not of whole entries");
  }
  if (frame.length / kSettingBytes > kMostSettings) {
    return terminate(ErrorCode::enhance_your_calm, "too many entries in SETTINGS");
  }
  for (; !payload.empty() && error_.empty(); payload.remove_prefix(kSettingBytes))
    on_setting(static_cast<Setting>(read_u16(payload.data())), read_u32(payload.data() + 2));
  if (!error_.empty()) return;
  established_ = true;
  FrameHeader{0, FrameType::settings, flag::kAck, 0}.append_to(frames_);
}

void Session::on_setting(Setting setting, std::uint32_t value) {
  switch (setting) {
    case Setting::header_table_size:
      return encoder_.limit_table(value);
    case Setting::initial_window_size:
      if (value > kMostWindow) {
        return terminate(ErrorCode::flow_control_error, "INITIAL_WINDOW_SIZE over 2^31-1");
      }
      change_send_windows(std::int64_t{value} - first_send_window_);
      first_send_window_ = static_cast<std::int32_t>(value);
      return;
    case Setting::max_frame_size:
      // Ours are never larger than the least that a peer may ask for.
      if (value < kMostFrameBytes || value > 0xFF'FFFF) {
        terminate(ErrorCode::protocol_error, "MAX_FRAME_SIZE out of range");
      }
      return;
    case Setting::enable_push:
    case Setting::no_rfc7540_priorities:
      if (value > 1) terminate(ErrorCode::protocol_error, "a setting that is neither 0 nor 1");
      return;
    case Setting::max_concurrent_streams:
    case Setting::max_header_list_size:
      return;
  }
}

void Session::change_send_windows(std::int64_t by) {
  for (const auto& [id, stream] : streams_) {
    const std::int64_t window = stream->send_window_ + by;
    if (window > kMostWindow || window < std::numeric_limits<std::int32_t>::min()) {
      return terminate(ErrorCode::flow_control_error, "a stream's window out of range");
    }
    stream->send_window_ = static_cast<std::int32_t>(window);
    if (window <= 0 && stream->is_linked() && !stream->local_ended_) stream->unlink();
    write_when_possible(*stream);
  }
}

void Session::on_ping(const FrameHeader& frame, std::string_view payload) {
  if (frame.length != kPingBytes) {
    return terminate(ErrorCode::frame_size_error, "PING not of 8 bytes");
  }
  if (frame.stream != 0) return terminate(ErrorCode::protocol_error, "PING on a stream");
  if (frame.has(flag::kAck)) {
    if (payload == kShutdownPing) shutdown_seen_ = true;
    return;
  }
  FrameHeader{kPingBytes, FrameType::ping, flag::kAck, 0}.append_to(frames_);
  frames_ += payload;
}

void Session::on_goaway(const FrameHeader& frame) {
  if (frame.stream != 0) return terminate(ErrorCode::protocol_error, "GOAWAY on a stream");
  if (frame.length < 8) return terminate(ErrorCode::frame_size_error, "GOAWAY too short");
  goaway_received_ = true;
}

void Session::on_window_update(const FrameHeader& frame, std::string_view payload) {
  if (frame.length != 4) {
    return terminate(ErrorCode::frame_size_error, "WINDOW_UPDATE not of 4 bytes");
  }
  const std::int64_t increment = read_u32(payload.data()) & kMask31;
  if (frame.stream == 0) {
    if (increment == 0) return terminate(ErrorCode::protocol_error, "WINDOW_UPDATE of 0");
    send_window_ += increment;
    if (send_window_ > kMostWindow) {
      terminate(ErrorCode::flow_control_error, "the connection's window over 2^31-1");
    }
    return;
  }
  if (idle(frame.stream)) {
    return terminate(ErrorCode::protocol_error, "WINDOW_UPDATE on a stream that is not open");
  }
  Stream* stream = find(frame.stream);
  if (stream == nullptr) return;
  if (increment == 0) return reset(*stream, ErrorCode::protocol_error);
  if (stream->send_window_ + increment > kMostWindow) {
    return reset(*stream, ErrorCode::flow_control_error);
  }
  stream->send_window_ += static_cast<std::int32_t>(increment);
  write_when_possible(*stream);
}

/// A request that is refused fails in Envoy: it is not held to a limit that it may not know yet.
std::size_t Session::most_streams() const {
  return settings_acknowledged_ ? most_streams_
                                : std::max(most_streams_, kMostStreamsBeforeSettings);
}

Stream* Session::find(std::int32_t id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second;
}

}  // namespace extproc::http2
