#include "stream/process_stream.h"

#include <utility>

#include "base/recycle.h"
#include "wire/response_writer.h"

namespace extproc::stream {
namespace {

/// A body of less is copied into its message.
constexpr std::size_t kLeastTail = std::size_t{16} << 10;

/// A message that was read tells what its bytes hold besides.
class Source final : public host::MessageSource {
 public:
  Source(std::string_view bytes, const wire::RequestMessage& message)
      : bytes_(bytes), message_(message) {}
  void store_attributes(std::string& out) const override { wire::store_attributes(bytes_, out); }
  void store_metadata(std::string& out) const override {
    wire::store_metadata(bytes_, message_, out);
  }

 private:
  std::string_view bytes_;
  const wire::RequestMessage& message_;
};

void write_extras(std::string& out, const ResponseExtras* extras) {
  if (extras != nullptr) wire::write_extras(out, *extras);
}

}  // namespace

void ProcessStream::on_message(std::string_view bytes) {
  take(bytes);
  // As many as no common message has.
  constexpr std::size_t kKeptHeaders = 1024;
  if (streams_.read_headers.capacity() > kKeptHeaders) recycle(streams_.read_headers, kKeptHeaders);
}

void ProcessStream::take(std::string_view bytes) {
  wire::RequestMessage message;
  if (!wire::read_request(bytes, message, streams_.read_headers)) return exchange_->on_malformed();
  if (message.flow_control_init || message.client_window_update) note_windows(message);
  if (!message.has_attributes && !message.has_metadata) return exchange_->on(message);
  const Source source(bytes, message);
  message.source = &source;
  exchange_->on(message);
}

void ProcessStream::note_windows(const wire::RequestMessage& message) {
  if (message.flow_control_init && exchange_->expects_first()) {
    flow_ = std::make_unique<FlowControl>(*message.flow_control_init);
    exchange_->expect_windows();
  }
  if (!message.client_window_update) return;
  if (flow_ != nullptr) {
    flow_->update(*message.client_window_update, sink_);
    sink_.kept(flow_->change());
    // What the client was not told while answers waited.
    consumed(Phase::request_body, 0);
    consumed(Phase::response_body, 0);
  }
  exchange_->on_writable();
}

void ProcessStream::drop_flow() {
  flow_->clear();
  sink_.kept(flow_->change());
  flow_.reset();
}

std::string& ProcessStream::begin_message(Phase phase, std::size_t body_bytes) {
  if (flow_ == nullptr) return sink_.begin_message();
  if (flow_->admit(phase, body_bytes)) return sink_.begin_message();
  return flow_->hold(phase, body_bytes);
}

void ProcessStream::headers(Phase phase, const HttpHeaders& /*message*/,
                            const HeadersResponse& answer) {
  std::string& out = begin_message(phase, 0);
  wire::write_headers_response(out, phase, answer);
  write_extras(out, answer.extras_or_null());
  end_message();
}

void ProcessStream::body(Phase phase, const HttpBody& /*message*/, BodyResponse& answer) {
  std::string& out = begin_message(phase, 0);
  if (!holding() && answer.body_change() == BodyChange::replace &&
      answer.body().size() >= kLeastTail) {
    write_extras(out, answer.extras_or_null());
    wire::write_body_response_head(out, phase, answer);
    sink_.end_message_with(out, answer.take_body());
    return;
  }
  wire::write_body_response(out, phase, answer);
  write_extras(out, answer.extras_or_null());
  end_message();
}

void ProcessStream::trailers(Phase phase, const HttpTrailers& /*message*/,
                             const TrailersResponse& answer) {
  std::string& out = begin_message(phase, 0);
  wire::write_trailers_response(out, phase, answer);
  write_extras(out, answer.extras_or_null());
  end_message();
}

void ProcessStream::piece(Phase phase, const HttpBody& piece, const ResponseExtras* extras) {
  std::string& out = begin_message(phase, piece.bytes().size());
  wire::write_streamed_body_response(out, phase, piece);
  write_extras(out, extras);
  end_message();
}

void ProcessStream::reply(Phase /*phase*/, const ImmediateResponse& response,
                          const ResponseExtras* extras) {
  std::string& out = sink_.begin_message();
  wire::write_immediate_response(out, response);
  end_reply(out, extras);
}

void ProcessStream::reply_head(std::span<const Header> headers, const ResponseExtras* extras) {
  std::string& out = sink_.begin_message();
  wire::write_streamed_head(out, headers);
  end_reply(out, extras);
}

void ProcessStream::reply_chunk(std::string_view bytes, const ResponseExtras* extras) {
  std::string& out = sink_.begin_message();
  wire::write_streamed_chunk(out, bytes, false);
  end_reply(out, extras);
}

void ProcessStream::reply_end(std::span<const Header> trailers, const ResponseExtras* extras) {
  std::string& out = sink_.begin_message();
  if (trailers.empty()) {
    wire::write_streamed_chunk(out, {}, true);
  } else {
    wire::write_streamed_trailers(out, trailers);
  }
  end_reply(out, extras);
}

// With all but a mode override, since no message follows that it could count for.
void ProcessStream::end_reply(std::string& out, const ResponseExtras* extras) {
  if (extras != nullptr && extras->mode_override) {
    ResponseExtras rest = *extras;
    rest.mode_override.reset();
    wire::write_extras(out, rest);
  } else {
    write_extras(out, extras);
  }
  sink_.end_message();
}

void ProcessStream::ask_for_time(std::chrono::milliseconds time) {
  wire::write_message_timeout(sink_.begin_message(), time);
  sink_.end_message();
}

void ProcessStream::consumed(Phase phase, std::size_t bytes) {
  if (flow_ == nullptr) return;
  const auto increments = flow_->consumed(phase, bytes);
  if (!increments) return;
  wire::write_window_update(sink_.begin_message(), increments->downstream_to_sidestream,
                            increments->upstream_to_sidestream);
  sink_.end_message();
}

}  // namespace extproc::stream
