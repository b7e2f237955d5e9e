#include "connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <utility>

namespace bench::load {
namespace {

constexpr std::size_t kWriteBytes = std::size_t{64} << 10;
constexpr std::size_t kReadBytes = std::size_t{256} << 10;
constexpr std::size_t kPrefix = 5;

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

// What Envoy sends with the call.
const std::array kRequest = {
    field(":method", "POST"),
    field(":path", "/envoy.service.ext_proc.v3.ExternalProcessor/Process"),
    field(":authority", "bench"),
    field(":scheme", "http"),
    field("te", "trailers"),
    field("content-type", "application/grpc"),
    field("x-envoy-internal", "true"),
    field("x-forwarded-for", "127.0.0.1"),
};

Stream* find_stream(nghttp2_session* session, std::int32_t id) {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

}  // namespace

struct ConnectionCallbacks {
  static Connection& self(void* user) { return *static_cast<Connection*>(user); }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                     const std::uint8_t* data, std::size_t size, void* user) {
    if (Stream* stream = find_stream(session, id))
      self(user).on_data(*stream, {reinterpret_cast<const char*>(data), size});
    return 0;
  }

  static int on_close(nghttp2_session* session, std::int32_t id, std::uint32_t, void* user) {
    Stream* stream = find_stream(session, id);
    if (stream == nullptr) return 0;
    nghttp2_session_set_stream_user_data(session, id, nullptr);
    self(user).listener_.on_closed(self(user), *stream);
    delete stream;
    return 0;
  }

  static int on_sent(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    const bool ended =
        frame->hd.type == NGHTTP2_DATA && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
    const std::int32_t id = frame->hd.stream_id;
    if (ended && nghttp2_session_get_stream_remote_close(session, id) == 0)
      nghttp2_submit_rst_stream(session, 0, id, NGHTTP2_NO_ERROR);
    return 0;
  }

  static ssize_t read_message(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t size,
                              std::uint32_t* flags, nghttp2_data_source* source, void* user) {
    Connection& connection = self(user);
    if (connection.out_.size() >= kWriteBytes) return NGHTTP2_ERR_PAUSE;
    auto& stream = *static_cast<Stream*>(source->ptr);
    const auto& steps = connection.script_.steps();
    if (stream.finishing) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      return 0;
    }
    if (stream.step == steps.size() || stream.answers < steps[stream.step].after_answers) {
      stream.deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    return static_cast<ssize_t>(std::min(size, steps[stream.step].bytes.size() - stream.sent));
  }

  static int write_message(nghttp2_session*, nghttp2_frame*, const std::uint8_t* frame_header,
                           std::size_t size, nghttp2_data_source* source, void* user) {
    constexpr std::size_t kFrameHeader = 9;
    Connection& connection = self(user);
    auto& stream = *static_cast<Stream*>(source->ptr);
    const std::string_view bytes = connection.script_.steps()[stream.step].bytes;
    connection.out_.append(reinterpret_cast<const char*>(frame_header), kFrameHeader);
    connection.out_.append(bytes.substr(stream.sent, size));
    stream.sent += static_cast<std::uint32_t>(size);
    if (stream.sent == bytes.size()) {
      stream.sent = 0;
      ++stream.step;
    }
    return 0;
  }

  static const nghttp2_session_callbacks* all() {
    static nghttp2_session_callbacks* const kCallbacks = [] {
      nghttp2_session_callbacks* made = nullptr;
      if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
      nghttp2_session_callbacks_set_on_stream_close_callback(made, on_close);
      nghttp2_session_callbacks_set_on_frame_send_callback(made, on_sent);
      nghttp2_session_callbacks_set_send_data_callback(made, write_message);
      return made;
    }();
    return kCallbacks;
  }

  static const nghttp2_option* options() {
    static nghttp2_option* const kOptions = [] {
      nghttp2_option* made = nullptr;
      if (nghttp2_option_new(&made) != 0) throw std::bad_alloc();
      nghttp2_option_set_peer_max_concurrent_streams(made, 1'000'000);
      return made;
    }();
    return kOptions;
  }
};

Connection::Connection(std::unique_ptr<Socket> socket, const Script& script, Listener& listener)
    : script_(script), listener_(listener), socket_(std::move(socket)) {
  nghttp2_session* session = nullptr;
  if (nghttp2_session_client_new2(&session, ConnectionCallbacks::all(), this,
                                  ConnectionCallbacks::options()) != 0)
    throw std::bad_alloc();
  session_.reset(session);
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                             {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 16 << 20}};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, 24 << 20);
}

Connection::~Connection() {
  session_.reset();  // closes the streams
}

Stream& Connection::open() {
  auto* stream = new Stream;
  stream->opened = Clock::now();
  nghttp2_data_provider body{};
  body.source.ptr = stream;
  body.read_callback = ConnectionCallbacks::read_message;
  stream->id = nghttp2_submit_request(session_.get(), nullptr, kRequest.data(), kRequest.size(),
                                      &body, stream);
  if (stream->id < 0) throw std::runtime_error(nghttp2_strerror(stream->id));
  return *stream;
}

void Connection::finish(Stream& stream) {
  stream.finishing = true;
  if (!stream.deferred) return;
  stream.deferred = false;
  nghttp2_session_resume_data(session_.get(), stream.id);
}

void Connection::reset(Stream& stream) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_CANCEL);
}

bool Connection::run(bool readable) {
  static std::array<std::uint8_t, kReadBytes> buffer;
  while (readable) {
    const ssize_t size = socket_->read(buffer);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (size < 0) break;
    if (nghttp2_session_mem_recv(session_.get(), buffer.data(), static_cast<std::size_t>(size)) < 0)
      return false;
    readable = static_cast<std::size_t>(size) == buffer.size();
  }
  return flush();
}

bool Connection::flush() {
  for (;;) {
    while (out_sent_ == 0 && out_.size() < kWriteBytes) {
      const std::uint8_t* frame = nullptr;
      const auto size = nghttp2_session_mem_send(session_.get(), &frame);
      if (size < 0) return false;
      if (size == 0) break;
      out_.append(reinterpret_cast<const char*>(frame), static_cast<std::size_t>(size));
    }
    if (out_.empty()) return true;
    const ssize_t size = socket_->write(std::string_view(out_).substr(out_sent_));
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    out_sent_ += static_cast<std::size_t>(size);
    if (blocked()) return true;
    out_.clear();
    out_sent_ = 0;
  }
}

void Connection::on_data(Stream& stream, std::string_view chunk) {
  while (!chunk.empty()) {
    if (stream.prefix_size < kPrefix) {
      stream.prefix[stream.prefix_size++] = static_cast<unsigned char>(chunk.front());
      chunk.remove_prefix(1);
      if (stream.prefix_size < kPrefix) continue;
      std::uint32_t size = 0;
      for (std::size_t i = 1; i < kPrefix; ++i) size = size << 8U | stream.prefix[i];
      const auto& steps = script_.steps();
      const bool fits = stream.answers < steps.size() && stream.prefix[0] == 0 && size != 0 &&
                        size >= steps[stream.answers].answer_at_least;
      if (!fits) stream.failed = true;
      stream.answer_left = size;
      stream.at_first_byte = true;
      if (size == 0) complete_answer(stream);
      continue;
    }
    if (stream.at_first_byte) {
      stream.at_first_byte = false;
      const auto& steps = script_.steps();
      if (stream.answers >= steps.size() ||
          static_cast<unsigned char>(chunk.front()) != steps[stream.answers].answer_tag)
        stream.failed = true;
    }
    const std::size_t taken = std::min<std::size_t>(chunk.size(), stream.answer_left);
    stream.answer_left -= static_cast<std::uint32_t>(taken);
    chunk.remove_prefix(taken);
    if (stream.answer_left == 0) complete_answer(stream);
  }
}

void Connection::complete_answer(Stream& stream) {
  stream.prefix_size = 0;
  ++stream.answers;
  if (stream.deferred && stream.step < script_.steps().size() &&
      stream.answers >= script_.steps()[stream.step].after_answers) {
    stream.deferred = false;
    nghttp2_session_resume_data(session_.get(), stream.id);
  }
  listener_.on_answer(*this, stream);
}

}  // namespace bench::load
