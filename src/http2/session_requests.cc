// Header blocks: requests that begin, and their trailers.

#include <algorithm>
#include <utility>

#include "http2/session.h"

namespace extproc::http2 {
namespace {

/// What Envoy opens on a new connection before it has seen SETTINGS.
constexpr std::size_t kMostStreamsBeforeSettings = 1'024;

}  // namespace

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
  // The frame itself may have been cut, and begun before.
  if (!reader_.has_partial()) incomplete_since_ = now_;
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
    if (skip_headers(block)) frames_.rst_stream(id, ErrorCode::refused_stream);
    return;
  }
  take_request(id, end_stream, block);
}

void Session::take_request(std::int32_t id, bool end_stream, std::string_view block) {
  beginning_id_ = id;
  if (decoder_.remembers(block)) {
    handler_.on_same_request();
  } else {
    RequestCheck check(RequestCheck::Part::headers, most_list_bytes_);
    // The handler's headers are those of another request from here on, even if it is malformed.
    decoder_.forget();
    handler_.on_request_begin();
    if (!decode(block, [&](std::string_view name, std::string_view value) {
          check.add(name, value);
          handler_.on_request_header(name, value);
        }))
      return;
    if (!check.passed()) return frames_.rst_stream(id, ErrorCode::protocol_error);
    content_length_ = check.content_length().value_or(StreamState::kNoLength);
    decoder_.remember(block);
    handler_.on_request();
  }
  if (end_stream) end_remote(*accepted_);
}

void Session::take_trailers(Stream& stream, bool end_stream, std::string_view block) {
  RequestCheck check(RequestCheck::Part::trailers, most_list_bytes_);
  if (!decode(block,
              [&](std::string_view name, std::string_view value) { check.add(name, value); }))
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

/// A request that is refused fails in Envoy: it is not held to a limit that it may not know yet.
std::size_t Session::most_streams() const {
  return settings_acknowledged_ ? most_streams_
                                : std::max(most_streams_, kMostStreamsBeforeSettings);
}

}  // namespace extproc::http2
