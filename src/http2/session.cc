#include "http2/session.h"

#include <algorithm>
#include <utility>

#include "base/recycle.h"

namespace extproc::http2 {
namespace {

/// SETTINGS that change the windows of open streams: each costs a walk over all of them. Clients
/// that measure their link change it some times in a second at most.
constexpr std::uint32_t kWindowChangesPerSecond = 10;
constexpr std::uint32_t kMostWindowChanges = 100;

}  // namespace

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
      most_list_bytes_(limits.header_list_bytes),
      connection_window_(std::max(limits.connection_window_bytes, kFirstWindow)),
      stream_window_(limits.stream_window_bytes),
      window_changes_(kWindowChangesPerSecond, kMostWindowChanges) {
  frames_.settings(limits);
  if (connection_window_ > kFirstWindow)
    frames_.window_update(0, connection_window_ - kFirstWindow);
}

Session::~Session() = default;

bool Session::wants_write() const {
  if (!frames_.empty()) return true;
  if (!error_.empty()) return false;
  return !ended_.empty() || (!writing_.empty() && send_window_ > 0);
}

bool Session::bodies_wait() const {
  return std::ranges::any_of(streams_, [](const auto& open) { return open.second->body_wanted_; });
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
    if (!frames_.empty()) {
      out.append(frames_.bytes());
      frames_.clear();
    }
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
    ++progress_;
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
    ++progress_;
    stream.on_end_sent();
    if (!stream.remote_ended_) frames_.rst_stream(stream.id_, ErrorCode::no_error);
    close(stream);
  }
}

Stream* Session::find(std::int32_t id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second;
}

void Session::reset(Stream& stream, ErrorCode code) {
  frames_.rst_stream(stream.id_, code);
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
  frames_.headers(stream.id_, false, headers);
}

void Session::send_body(Stream& stream) {
  if (stream.local_ended_) return;
  stream.body_wanted_ = true;
  write_when_possible(stream);
}

void Session::send_trailers(Stream& stream, std::span<const Header> headers) {
  if (stream.local_ended_) return;
  frames_.headers(stream.id_, true, headers);
  stream.local_ended_ = true;
  stream.body_wanted_ = false;
  if (stream.is_linked()) stream.unlink();
  ended_.push_back(stream);
}

void Session::give_credit(Stream& stream, std::size_t bytes) {
  stream.credit_ += static_cast<std::uint32_t>(bytes);
  if (stream.remote_ended_ || stream.local_ended_ || stream.credit_ < (stream_window_ + 1) / 2)
    return;
  frames_.window_update(stream.id_, stream.credit_);
  stream.received_ -= std::exchange(stream.credit_, 0);
}

void Session::give_back() {
  decoder_.give_back();
  release(streams_);
  release(refused_);
}

void Session::begin_shutdown() {
  if (!error_.empty() || last_goaway_sent_) return;
  // The ping first: a client that has no stream open may not answer one that follows a GOAWAY.
  frames_.ping(kShutdownPing, false);
  frames_.goaway(static_cast<std::int32_t>(kMask31), ErrorCode::no_error, {});
}

void Session::finish_shutdown() {
  if (!error_.empty() || std::exchange(last_goaway_sent_, true)) return;
  frames_.goaway(last_taken_id_, ErrorCode::no_error, {});
}

void Session::terminate(ErrorCode code, std::string_view reason) {
  if (!error_.empty()) return;
  error_ = to_string(code);
  error_ += ": ";
  error_ += reason;
  frames_.goaway(last_taken_id_, code, reason);
}

}  // namespace extproc::http2
