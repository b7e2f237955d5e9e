#include "http2/session_callbacks.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "http2/session.h"

namespace extproc::http2 {
namespace {

std::string_view view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

bool is_request(const nghttp2_frame* frame) {
  return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
}

bool ends_stream(const nghttp2_frame* frame) {
  return (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
         (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

Stream* find_stream(nghttp2_session* session, std::int32_t id) {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

}  // namespace

struct SessionCallbacks {
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
    if (!is_request(frame)) return 0;
    auto& self = *static_cast<Session*>(user);
    ++self.open_streams_;
    self.handler_.on_request_begin();
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user) noexcept {
    if (!is_request(frame)) return 0;
    static_cast<Session*>(user)->handler_.on_request_header(view(name, name_size),
                                                            view(value, value_size));
    return 0;
  }

  static int on_frame_recv(nghttp2_session* session, const nghttp2_frame* frame,
                           void* user) noexcept {
    auto& self = *static_cast<Session*>(user);
    const std::int32_t id = frame->hd.stream_id;
    if (is_request(frame)) {
      Stream* stream = self.handler_.on_request(id);
      if (stream == nullptr) return 0;
      nghttp2_session_set_stream_user_data(session, id, stream);
      if (ends_stream(frame)) stream->on_end_stream();
    } else if (ends_stream(frame)) {
      if (Stream* stream = find_stream(session, id)) stream->on_end_stream();
    } else if (frame->hd.type == NGHTTP2_SETTINGS) {
      if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) self.established_ = true;
    } else if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
      if (std::memcmp(frame->ping.opaque_data, kShutdownPing, sizeof kShutdownPing) == 0)
        self.shutdown_seen_ = true;
    }
    return 0;
  }

  static int on_data_chunk(nghttp2_session* session, std::uint8_t, std::int32_t id,
                           const std::uint8_t* data, std::size_t size, void*) noexcept {
    nghttp2_session_consume_connection(session, size);
    if (Stream* stream = find_stream(session, id)) stream->on_data(view(data, size));
    return 0;
  }

  static int on_stream_close(nghttp2_session* session, std::int32_t id, std::uint32_t,
                             void* user) noexcept {
    --static_cast<Session*>(user)->open_streams_;
    if (Stream* stream = find_stream(session, id)) {
      nghttp2_session_set_stream_user_data(session, id, nullptr);
      stream->on_stream_closed();
    }
    return 0;
  }

  static int on_frame_send(nghttp2_session* session, const nghttp2_frame* frame,
                           void* user) noexcept {
    const std::int32_t id = frame->hd.stream_id;
    if (ends_stream(frame)) {
      if (Stream* stream = find_stream(session, id)) stream->on_end_sent();
      if (nghttp2_session_get_stream_remote_close(session, id) == 0)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
    } else if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
      auto& error = static_cast<Session*>(user)->error_;
      if (!error.empty()) return 0;
      error = nghttp2_http2_strerror(frame->goaway.error_code);
      if (frame->goaway.opaque_data_len != 0) {
        error += ": ";
        error += view(frame->goaway.opaque_data, frame->goaway.opaque_data_len);
      }
    }
    return 0;
  }

  static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t size,
                           std::uint32_t* flags, nghttp2_data_source* source, void* user) noexcept {
    // One call of nghttp2_session_mem_send goes on with DATA that is not copied through it for as
    // long as there is any.
    const auto& self = *static_cast<Session*>(user);
    if (self.out_->size() >= self.out_end_) return NGHTTP2_ERR_PAUSE;
    const Stream::Output output = static_cast<Stream*>(source->ptr)->prepare_output(size);
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (output.last) *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return static_cast<ssize_t>(output.bytes);
  }

  static int send_body(nghttp2_session*, nghttp2_frame*, const std::uint8_t* frame_header,
                       std::size_t size, nghttp2_data_source* source, void* user) noexcept {
    constexpr std::size_t kFrameHeaderBytes = 9;
    std::string& out = *static_cast<Session*>(user)->out_;
    out += view(frame_header, kFrameHeaderBytes);
    static_cast<Stream*>(source->ptr)->write_output(out, size);
    return 0;
  }
};

const nghttp2_session_callbacks* session_callbacks() {
  struct Delete {
    void operator()(nghttp2_session_callbacks* p) const { nghttp2_session_callbacks_del(p); }
  };
  static const std::unique_ptr<nghttp2_session_callbacks, Delete> kCallbacks = [] {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
    using C = SessionCallbacks;
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, &C::on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, &C::on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, &C::on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &C::on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, &C::on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, &C::on_frame_send);
    nghttp2_session_callbacks_set_send_data_callback(made, &C::send_body);
    return std::unique_ptr<nghttp2_session_callbacks, Delete>(made);
  }();
  return kCallbacks.get();
}

const nghttp2_option* session_options() {
  struct Delete {
    void operator()(nghttp2_option* p) const { nghttp2_option_del(p); }
  };
  static const std::unique_ptr<nghttp2_option, Delete> kOptions = [] {
    nghttp2_option* made = nullptr;
    if (nghttp2_option_new(&made) != 0) throw std::bad_alloc();
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_no_closed_streams(made, 1);
#ifdef EXTPROC_NGHTTP2_HAS_RESET_RATE_LIMIT
    // Its default closes Envoy's connection under load, because Envoy ends normal streams with a
    // reset. The layer above counts the resets that cost something.
    constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
    nghttp2_option_set_stream_reset_rate_limit(made, kNever, kNever);
#endif
    return std::unique_ptr<nghttp2_option, Delete>(made);
  }();
  return kOptions.get();
}

nghttp2_data_provider body_of(Stream& stream) {
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = &SessionCallbacks::read_body;
  return provider;
}

}  // namespace extproc::http2
