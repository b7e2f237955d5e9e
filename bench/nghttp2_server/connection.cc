#include "connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <new>
#include <string_view>

namespace bench::nghttp2_server {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;
constexpr std::size_t kWriteBytes = std::size_t{64} << 10;
/// No more of a stream waits for a peer that does not read before the peer gets no more credit.
constexpr std::size_t kMostWaiting = std::size_t{1} << 20;
constexpr std::string_view kPath = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

Stream* find_stream(nghttp2_session* session, std::int32_t id) {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

}  // namespace

struct ConnectionCallbacks {
  static Connection& self(void* user) { return *static_cast<Connection*>(user); }

  static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
      nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, new Stream);
    return 0;
  }

  static int on_header(nghttp2_session* session, const nghttp2_frame* frame,
                       const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                       std::size_t value_size, std::uint8_t, void*) {
    using Text = const char*;
    if (std::string_view(reinterpret_cast<Text>(name), name_size) == ":path" &&
        std::string_view(reinterpret_cast<Text>(value), value_size) != kPath) {
      if (Stream* stream = find_stream(session, frame->hd.stream_id)) stream->wrong_path = true;
    }
    return 0;
  }

  static int on_frame_recv(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    const std::int32_t id = frame->hd.stream_id;
    const bool headers = frame->hd.type == NGHTTP2_HEADERS;
    if (!headers && frame->hd.type != NGHTTP2_DATA) return 0;
    Stream* stream = find_stream(session, id);
    if (stream == nullptr) return 0;
    if (headers && stream->wrong_path) {
      const nghttp2_nv fields[] = {field(":status", "200"),
                                   field("content-type", "application/grpc"),
                                   field("grpc-status", "12")};
      return nghttp2_submit_response(session, id, fields, std::size(fields), nullptr);
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      stream->half_closed = true;
      self(user).answer(id, *stream);
    }
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                     const std::uint8_t* data, std::size_t size, void* user) {
    Connection& connection = self(user);
    nghttp2_session_consume_connection(session, size);
    Stream* stream = find_stream(session, id);
    if (stream == nullptr || stream->wrong_path)
      return nghttp2_session_consume_stream(session, id, size);
    const std::string_view chunk(reinterpret_cast<const char*>(data), size);
    if (!stream->receive(chunk, connection.variant_, connection.pool_))
      return nghttp2_submit_rst_stream(session, 0, id, NGHTTP2_INTERNAL_ERROR);
    stream->uncredited += size;
    give_credit(session, id, *stream);
    if (stream->waiting() != 0) connection.answer(id, *stream);
    return 0;
  }

  static int on_close(nghttp2_session* session, std::int32_t id, std::uint32_t, void* user) {
    if (Stream* stream = find_stream(session, id)) {
      stream->release(self(user).pool_);
      delete stream;
      nghttp2_session_set_stream_user_data(session, id, nullptr);
    }
    return 0;
  }

  static ssize_t read_answer(nghttp2_session* session, std::int32_t id, std::uint8_t*,
                             std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                             void* user) {
    // nghttp2 packs DATA that it does not copy for as long as there is any.
    if (self(user).out_.size() >= kWriteBytes) return NGHTTP2_ERR_PAUSE;
    auto& stream = *static_cast<Stream*>(source->ptr);
    const std::size_t bytes = std::min(size, stream.waiting());
    if (bytes == 0 && !stream.half_closed) {
      stream.deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (bytes == stream.waiting() && stream.half_closed) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const nghttp2_nv status = field("grpc-status", "0");
      nghttp2_submit_trailer(session, id, &status, 1);
    }
    return static_cast<ssize_t>(bytes);
  }

  static int write_answer(nghttp2_session* session, nghttp2_frame* frame,
                          const std::uint8_t* frame_header, std::size_t size,
                          nghttp2_data_source* source, void* user) {
    constexpr std::size_t kFrameHeader = 9;
    Connection& connection = self(user);
    auto& stream = *static_cast<Stream*>(source->ptr);
    connection.out_.append(reinterpret_cast<const char*>(frame_header), kFrameHeader);
    stream.take_output(connection.out_, size, connection.pool_);
    give_credit(session, frame->hd.stream_id, stream);
    return 0;
  }

  static void give_credit(nghttp2_session* session, std::int32_t id, Stream& stream) {
    if (stream.uncredited == 0 || stream.waiting() > kMostWaiting) return;
    nghttp2_session_consume_stream(session, id, stream.uncredited);
    stream.uncredited = 0;
  }

  static const nghttp2_session_callbacks* all() {
    static nghttp2_session_callbacks* const kCallbacks = [] {
      nghttp2_session_callbacks* made = nullptr;
      if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
      nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
      nghttp2_session_callbacks_set_on_header_callback(made, on_header);
      nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame_recv);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
      nghttp2_session_callbacks_set_on_stream_close_callback(made, on_close);
      nghttp2_session_callbacks_set_send_data_callback(made, write_answer);
      return made;
    }();
    return kCallbacks;
  }

  static const nghttp2_option* options() {
    static nghttp2_option* const kOptions = [] {
      nghttp2_option* made = nullptr;
      if (nghttp2_option_new(&made) != 0) throw std::bad_alloc();
      nghttp2_option_set_no_auto_window_update(made, 1);
      nghttp2_option_set_no_closed_streams(made, 1);
#ifdef BENCH_NGHTTP2_HAS_RESET_RATE_LIMIT
      // Envoy ends its normal streams with a reset; nghttp2's limit would close its connection.
      constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
      nghttp2_option_set_stream_reset_rate_limit(made, kNever, kNever);
#endif
      return made;
    }();
    return kOptions;
  }
};

Connection::Connection(int fd, Variant variant, BufferPool& pool)
    : fd_(fd), variant_(variant), pool_(pool) {
  nghttp2_session* session = nullptr;
  if (nghttp2_session_server_new2(&session, ConnectionCallbacks::all(), this,
                                  ConnectionCallbacks::options()) != 0)
    throw std::bad_alloc();
  session_.reset(session);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 16'384},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, 16 << 20);
}

Connection::~Connection() {
  session_.reset();  // closes the streams
  close(fd_);
}

bool Connection::on_readable() {
  thread_local std::array<std::uint8_t, kReadBytes> buffer;
  for (;;) {
    const ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
    if (size == 0) return false;
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (nghttp2_session_mem_recv(session_.get(), buffer.data(), static_cast<std::size_t>(size)) < 0)
      return false;
    if (!flush()) return false;
    if (static_cast<std::size_t>(size) < buffer.size() || blocked()) return true;
  }
}

void Connection::answer(std::int32_t id, Stream& stream) {
  if (!stream.responding) {
    stream.responding = true;
    static const nghttp2_nv kHeaders[] = {field(":status", "200"),
                                          field("content-type", "application/grpc")};
    nghttp2_data_provider body{};
    body.source.ptr = &stream;
    body.read_callback = ConnectionCallbacks::read_answer;
    nghttp2_submit_response(session_.get(), id, kHeaders, std::size(kHeaders), &body);
  } else if (stream.deferred) {
    stream.deferred = false;
    nghttp2_session_resume_data(session_.get(), id);
  }
}

/// Moves frames to the buffer; false when the session has failed.
bool Connection::fill() {
  while (out_.size() < kWriteBytes) {
    const std::uint8_t* frame = nullptr;
    const auto size = nghttp2_session_mem_send(session_.get(), &frame);
    if (size < 0) return false;
    if (size == 0) return true;
    out_.append(reinterpret_cast<const char*>(frame), static_cast<std::size_t>(size));
  }
  return true;
}

bool Connection::flush() {
  for (;;) {
    if (written_all_ && !fill()) return false;
    if (out_.empty()) break;
    const ssize_t size = send(fd_, out_.data() + out_sent_, out_.size() - out_sent_, MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (size > 0) out_sent_ += static_cast<std::size_t>(size);
    written_all_ = out_sent_ == out_.size();
    if (!written_all_) return true;
    out_.clear();
    out_sent_ = 0;
  }
  return nghttp2_session_want_read(session_.get()) != 0 ||
         nghttp2_session_want_write(session_.get()) != 0;
}

}  // namespace bench::nghttp2_server
