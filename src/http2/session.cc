#include "http2/session.h"

#include <algorithm>
#include <utility>

namespace extproc::http2 {

/// A request that has had its answer from the session's user, until that is written.
class Session::RefusedStream final : public Stream {
 public:
  explicit RefusedStream(Session& session) : session_(session) {}

  void on_data(std::string_view) noexcept override {}
  void on_end_stream() noexcept override {}
  void on_end_sent() noexcept override {}
  void on_stream_closed() noexcept override { session_.forget(*this); }
  Waiting prepare_output(std::size_t) noexcept override { return {0, true}; }
  void write_output(Output&, std::size_t) noexcept override {}

 private:
  Session& session_;
};

Session::Session(const Limits& limits, SessionHandler& handler)
    : handler_(handler),
      most_streams_(limits.streams_per_connection),
      most_frames_bytes_((std::size_t{64} << 10) +
                         std::size_t{256} * limits.streams_per_connection),
      most_block_bytes_(std::size_t{limits.header_list_bytes} + kMostFrameBytes),
      connection_window_(std::max(limits.connection_window_bytes, kFirstWindow)),
      stream_window_(limits.stream_window_bytes) {
  append_settings(limits);
  if (connection_window_ > kFirstWindow) append_window_update(0, connection_window_ - kFirstWindow);
}

Session::~Session() = default;

bool Session::wants_write() const {
  if (!frames_.empty()) return true;
  if (!error_.empty()) return false;
  return !ended_.empty() || (!writing_.empty() && send_window_ > 0);
}

bool Session::finished() const {
  if (!frames_.empty()) return false;
  if (!error_.empty()) return true;
  return (last_goaway_sent_ || goaway_received_) && streams_.empty();
}

void Session::take_output(Output& out, std::size_t max) {
  const std::size_t end = out.size() + max;
  for (;;) {
    // What is in it was appended before the DATA that comes next was asked for, and may be of the
    // same stream.
    out.append(frames_);
    frames_.clear();
    if (!error_.empty()) return;
    if (!ended_.empty()) {
      close_ended();
    } else if (out.size() < end && !writing_.empty() && send_window_ > 0) {
      Stream& stream = writing_.front();
      writing_.pop_front();
      write_body(stream, out);
    } else if (frames_.empty()) {
      return;
    }
  }
}

void Session::write_body(Stream& stream, Output& out) {
  const auto window = std::min<std::int64_t>(send_window_, stream.send_window_);
  const auto max = static_cast<std::size_t>(
      std::min<std::int64_t>(window, static_cast<std::int64_t>(kMostFrameBytes)));
  const auto [bytes, last] = stream.prepare_output(max);
  stream.body_wanted_ = !last;
  if (bytes > 0) {
    FrameHeader{static_cast<std::uint32_t>(bytes), FrameType::data, 0, stream.id_}.append_to(out);
    stream.write_output(out, bytes);
    send_window_ -= static_cast<std::int64_t>(bytes);
    stream.send_window_ -= static_cast<std::int32_t>(bytes);
  }
  write_when_possible(stream);
}

void Session::write_when_possible(Stream& stream) {
  if (stream.body_wanted_ && stream.send_window_ > 0 && !stream.is_linked())
    writing_.push_back(stream);
}

void Session::close_ended() {
  while (!ended_.empty()) {
    Stream& stream = ended_.front();
    stream.on_end_sent();
    if (!stream.remote_ended_) append_rst_stream(stream.id_, ErrorCode::no_error);
    close(stream);
  }
}

void Session::reset(Stream& stream, ErrorCode code) {
  append_rst_stream(stream.id_, code);
  close(stream);
}

void Session::close(Stream& stream) {
  if (stream.is_linked()) stream.unlink();
  streams_.erase(stream.id_);
  stream.on_stream_closed();
}

void Session::accept(Stream& stream) {
  stream.id_ = beginning_id_;
  stream.body_left_ = content_length_;
  stream.send_window_ = first_send_window_;
  streams_.emplace(stream.id_, &stream);
  accepted_ = &stream;
}

void Session::refuse(std::span<const Header> headers) {
  RefusedStream& stream = *refused_.emplace_back(std::make_unique<RefusedStream>(*this));
  accept(stream);
  send_trailers(stream, headers);
}

void Session::forget(RefusedStream& stream) {
  std::erase_if(refused_, [&](const auto& refused) { return refused.get() == &stream; });
}

void Session::send_headers(Stream& stream, std::span<const Header> headers) {
  append_headers(stream.id_, 0, headers);
}

void Session::send_body(Stream& stream) {
  if (stream.local_ended_) return;
  stream.body_wanted_ = true;
  write_when_possible(stream);
}

void Session::send_trailers(Stream& stream, std::span<const Header> headers) {
  if (stream.local_ended_) return;
  append_headers(stream.id_, flag::kEndStream, headers);
  stream.local_ended_ = true;
  stream.body_wanted_ = false;
  if (stream.is_linked()) stream.unlink();
  ended_.push_back(stream);
}

void Session::give_credit(Stream& stream, std::size_t bytes) {
  stream.credit_ += static_cast<std::uint32_t>(bytes);
  if (stream.remote_ended_ || stream.local_ended_ || stream.credit_ < (stream_window_ + 1) / 2)
    return;
  append_window_update(stream.id_, stream.credit_);
  stream.received_ -= std::exchange(stream.credit_, 0);
}

void Session::begin_shutdown() {
  if (!error_.empty() || last_goaway_sent_) return;
  // The ping first: a client that has no stream open may not answer one that follows a GOAWAY.
  FrameHeader{kShutdownPing.size(), FrameType::ping, 0, 0}.append_to(frames_);
  frames_ += kShutdownPing;
  append_goaway(static_cast<std::int32_t>(kMask31), ErrorCode::no_error, {});
}

void Session::finish_shutdown() {
  if (!error_.empty() || std::exchange(last_goaway_sent_, true)) return;
  append_goaway(last_taken_id_, ErrorCode::no_error, {});
}

void Session::terminate(ErrorCode code, std::string_view reason) {
  if (!error_.empty()) return;
  error_ = to_string(code);
  error_ += ": ";
  error_ += reason;
  append_goaway(last_taken_id_, code, reason);
}

void Session::append_settings(const Limits& limits) {
  const std::pair<Setting, std::uint32_t> settings[] = {
      {Setting::max_concurrent_streams, limits.streams_per_connection},
      {Setting::initial_window_size, limits.stream_window_bytes},
      {Setting::max_header_list_size, limits.header_list_bytes},
      {Setting::no_rfc7540_priorities, 1},
  };
  FrameHeader{static_cast<std::uint32_t>(std::size(settings) * kSettingBytes), FrameType::settings,
              0, 0}
      .append_to(frames_);
  for (const auto& [id, value] : settings) {
    char bytes[kSettingBytes];
    write_u16(bytes, static_cast<std::uint32_t>(id));
    write_u32(bytes + 2, value);
    frames_.append(bytes, sizeof bytes);
  }
}

void Session::append_headers(std::int32_t id, std::uint8_t flags,
                             std::span<const Header> headers) {
  const std::size_t begin = frames_.size();
  frames_.resize(begin + FrameHeader::kBytes);
  encoder_.encode(headers, frames_);
  const std::size_t bytes = frames_.size() - begin - FrameHeader::kBytes;
  FrameHeader frame{static_cast<std::uint32_t>(std::min(bytes, kMostFrameBytes)),
                    FrameType::headers, flags, id};
  if (bytes <= kMostFrameBytes) frame.flags |= flag::kEndHeaders;
  frame.write(frames_.data() + begin);

  // Only a status message of thousands of characters comes here.
  std::size_t at = begin + FrameHeader::kBytes + kMostFrameBytes;
  while (at < frames_.size()) {
    const std::size_t left = frames_.size() - at;
    frame = {static_cast<std::uint32_t>(std::min(left, kMostFrameBytes)), FrameType::continuation,
             left <= kMostFrameBytes ? flag::kEndHeaders : std::uint8_t{0}, id};
    frames_.insert(at, FrameHeader::kBytes, '\0');
    frame.write(frames_.data() + at);
    at += FrameHeader::kBytes + frame.length;
  }
}

void Session::append_rst_stream(std::int32_t id, ErrorCode code) {
  char bytes[FrameHeader::kBytes + 4];
  FrameHeader{4, FrameType::rst_stream, 0, id}.write(bytes);
  write_u32(bytes + FrameHeader::kBytes, static_cast<std::uint32_t>(code));
  frames_.append(bytes, sizeof bytes);
}

void Session::append_window_update(std::int32_t id, std::uint32_t increment) {
  char bytes[FrameHeader::kBytes + 4];
  FrameHeader{4, FrameType::window_update, 0, id}.write(bytes);
  write_u32(bytes + FrameHeader::kBytes, increment);
  frames_.append(bytes, sizeof bytes);
}

void Session::append_goaway(std::int32_t last, ErrorCode code, std::string_view reason) {
  char bytes[8];
  write_u32(bytes, static_cast<std::uint32_t>(last));
  write_u32(bytes + 4, static_cast<std::uint32_t>(code));
  FrameHeader{static_cast<std::uint32_t>(sizeof bytes + reason.size()), FrameType::goaway, 0, 0}
      .append_to(frames_);
  frames_.append(bytes, sizeof bytes);
  frames_ += reason;
}

}  // namespace extproc::http2
