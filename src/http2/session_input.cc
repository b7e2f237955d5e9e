// The receiving half of Session: bytes to frames, and what each frame does.

#include <algorithm>
#include <limits>
#include <utility>

#include "http2/foreign_protocol.h"
#include "http2/session.h"

namespace extproc::http2 {
namespace {

/// More than a peer has to say, in one frame.
constexpr std::size_t kMostSettings = 32;

}  // namespace

bool Session::receive(std::string_view bytes, Clock::time_point now) {
  if (!error_.empty()) return false;
  now_ = now;
  const auto result =
      reader_.read(bytes, [this](const FrameHeader& frame, std::string_view payload) {
        take_frame(frame, payload);
        return error_.empty();
      });
  // All of the frame that is cut has come just now.
  if (continued_id_ == 0 && reader_.has_partial() && reader_.held_bytes() <= bytes.size())
    incomplete_since_ = now;
  if (result == FrameReader::Result::no_preface) {
    terminate(ErrorCode::protocol_error, foreign_protocol(bytes));
  } else if (result == FrameReader::Result::frame_too_large) {
    terminate(ErrorCode::frame_size_error, "a frame is over the limit of 16384 bytes");
  } else if (frames_.bytes().size() > most_frames_bytes_) {
    terminate(ErrorCode::enhance_your_calm, "too many frames wait for a peer that does not read");
  }
  return error_.empty();
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
  frames_.window_update(0, std::exchange(received_, 0));
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
  for (std::string_view rest = payload; !rest.empty() && error_.empty();
       rest.remove_prefix(kSettingBytes))
    on_setting(static_cast<Setting>(read_u16(rest.data())), read_u32(rest.data() + 2));
  if (error_.empty()) change_send_windows(payload);
  if (!error_.empty()) return;
  established_ = true;
  frames_.settings_acknowledgement();
}

void Session::on_setting(Setting setting, std::uint32_t value) {
  switch (setting) {
    case Setting::header_table_size:
      return frames_.limit_table(value);
    case Setting::initial_window_size:
      if (value > kMostWindow) {
        terminate(ErrorCode::flow_control_error, "INITIAL_WINDOW_SIZE over 2^31-1");
      }
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

/// One walk over the streams for all entries of a frame: the last INITIAL_WINDOW_SIZE counts, and
/// none before it may take a window out of its range either.
void Session::change_send_windows(std::string_view settings) {
  const std::int64_t before = first_send_window_;
  std::int64_t lowest = before;
  std::int64_t highest = before;
  std::int64_t last = before;
  for (; !settings.empty(); settings.remove_prefix(kSettingBytes)) {
    const auto setting = static_cast<Setting>(read_u16(settings.data()));
    if (setting != Setting::initial_window_size) continue;
    last = read_u32(settings.data() + 2);
    lowest = std::min(lowest, last);
    highest = std::max(highest, last);
  }
  first_send_window_ = static_cast<std::int32_t>(last);
  if (lowest == highest || streams_.empty()) return;
  if (!window_changes_.take(now_)) {
    return terminate(ErrorCode::enhance_your_calm, "INITIAL_WINDOW_SIZE changes too often");
  }
  for (const auto& [id, stream] : streams_) {
    const std::int64_t window = stream->send_window_;
    if (window + highest - before > kMostWindow ||
        window + lowest - before < std::numeric_limits<std::int32_t>::min()) {
      return terminate(ErrorCode::flow_control_error, "a stream's window out of range");
    }
    stream->send_window_ = static_cast<std::int32_t>(window + last - before);
    if (stream->send_window_ <= 0 && stream->is_linked() && !stream->local_ended_) stream->unlink();
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
  frames_.ping(payload, true);
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

}  // namespace extproc::http2
