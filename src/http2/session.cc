#include "http2/session.h"

#include <new>

#include "http2/session_callbacks.h"

namespace extproc::http2 {
namespace {

// nghttp2 never writes through these; its struct has no const.
std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

}  // namespace

Header constant_header(std::string_view name, std::string_view value) {
  return {bytes_of(name), bytes_of(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

Header copied_header(std::string_view name, std::string_view value) {
  return {bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NO_COPY_NAME};
}

Session::Session(const Limits& limits, Memory& memory, SessionHandler& handler)
    : handler_(handler),
      most_queued_frames_(std::size_t{limits.streams_per_connection} * 2 + 4096) {
  nghttp2_session* session = nullptr;
  nghttp2_mem functions = memory.functions();
  if (nghttp2_session_server_new3(&session, session_callbacks(), this, session_options(),
                                  &functions) != 0)
    throw std::bad_alloc();
  session_.reset(session);
  submit_settings(limits);
}

void Session::submit_settings(const Limits& limits) {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams_per_connection},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.header_list_bytes},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(limits.connection_window_bytes));
}

bool Session::receive(std::string_view bytes) {
  if (dead_ || !error_.empty()) return false;
  const auto read = nghttp2_session_mem_recv(session_.get(), bytes_of(bytes), bytes.size());
  if (read < 0) {
    fail(static_cast<int>(read));
  } else if (nghttp2_session_get_outbound_queue_size(session_.get()) > most_queued_frames_) {
    terminate(NGHTTP2_ENHANCE_YOUR_CALM, "too many frames wait for a peer that does not read");
  }
  terminate_if_asked();
  return error_.empty();
}

void Session::take_output(std::string& out, std::size_t max) {
  if (dead_) return;
  terminate_if_asked();
  out_ = &out;
  out_end_ = out.size() + max;
  while (out.size() < out_end_) {
    const std::uint8_t* frame = nullptr;
    const auto size = nghttp2_session_mem_send(session_.get(), &frame);
    if (size < 0) fail(static_cast<int>(size));
    if (size <= 0) break;
    out.append(reinterpret_cast<const char*>(frame), static_cast<std::size_t>(size));
  }
  out_ = nullptr;
  terminate_if_asked();
}

bool Session::wants_write() const {
  return !dead_ && nghttp2_session_want_write(session_.get()) != 0;
}

bool Session::finished() const {
  return dead_ || (nghttp2_session_want_read(session_.get()) == 0 && !wants_write());
}

void Session::respond(std::int32_t id, std::span<const Header> headers) {
  nghttp2_submit_response(session_.get(), id, headers.data(), headers.size(), nullptr);
}

void Session::respond(std::int32_t id, std::span<const Header> headers, Stream& stream) {
  const nghttp2_data_provider body = body_of(stream);
  nghttp2_submit_response(session_.get(), id, headers.data(), headers.size(), &body);
}

void Session::send_body(std::int32_t id, Stream& stream) {
  const nghttp2_data_provider body = body_of(stream);
  nghttp2_submit_data(session_.get(), NGHTTP2_FLAG_NONE, id, &body);
}

void Session::send_trailers(std::int32_t id, std::span<const Header> headers) {
  nghttp2_submit_trailer(session_.get(), id, headers.data(), headers.size());
}

void Session::give_credit(std::int32_t id, std::size_t bytes) {
  nghttp2_session_consume_stream(session_.get(), id, bytes);
}

void Session::begin_shutdown() {
  // nghttp2 sends the ping first, in the same write. The other way round, a client on nghttp2 that
  // has no stream open would not answer: after a GOAWAY it has nothing more to read.
  nghttp2_submit_shutdown_notice(session_.get());
  nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, kShutdownPing);
}

void Session::finish_shutdown() {
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_.get()), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

void Session::terminate(std::uint32_t code, std::string_view reason) {
  if (!error_.empty()) return;
  terminate_code_ = code;
  error_ = nghttp2_http2_strerror(code);
  error_ += ": ";
  error_ += reason;
}

void Session::terminate_if_asked() {
  if (terminate_code_ == NGHTTP2_NO_ERROR || dead_) return;
  nghttp2_session_terminate_session(session_.get(), terminate_code_);
  terminate_code_ = NGHTTP2_NO_ERROR;
}

void Session::fail(int nghttp2_error) {
  if (nghttp2_error == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
    terminate(NGHTTP2_PROTOCOL_ERROR, "no HTTP/2 connection preface");
    return;
  }
  // The session cannot be used any more, or (FLOODED) the peer does not read what it could still
  // say.
  dead_ = true;
  if (error_.empty()) error_ = nghttp2_strerror(nghttp2_error);
}

}  // namespace extproc::http2
