#include "http2/client_peer.h"

#include <algorithm>
#include <cstring>

namespace extproc::http2::testing {
namespace {

std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

std::optional<std::string> find(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return std::nullopt;
}

}  // namespace

struct ClientCallbacks {
  static ClientPeer& self(void* user) { return *static_cast<ClientPeer*>(user); }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    ClientStream& stream = self(user).streams_[frame->hd.stream_id];
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    std::pair<std::string, std::string> header({reinterpret_cast<const char*>(name), name_size},
                                               {reinterpret_cast<const char*>(value), value_size});
    if (frame->headers.cat == NGHTTP2_HCAT_RESPONSE) stream.headers.push_back(header);
    if (end) stream.trailers.push_back(std::move(header));
    return 0;
  }

  static int on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    ClientPeer& peer = self(user);
    const bool has_end = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (has_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
      peer.streams_[frame->hd.stream_id].end_stream = true;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
      peer.streams_[frame->hd.stream_id].reset = frame->rst_stream.error_code;
    if (frame->hd.type == NGHTTP2_GOAWAY)
      peer.goaways_.emplace_back(frame->goaway.last_stream_id, frame->goaway.error_code);
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* user) {
    self(user).streams_[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }

  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
    self(user).streams_[id].closed = true;
    return 0;
  }

  static ssize_t read(nghttp2_session*, std::int32_t id, std::uint8_t* buffer, std::size_t size,
                      std::uint32_t* flags, nghttp2_data_source*, void* user) {
    ClientPeer::Outgoing& out = self(user).outgoing_[id];
    if (out.chunks.empty() && !out.end_stream) {
      out.deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    std::size_t count = 0;
    if (!out.chunks.empty()) {
      std::string& chunk = out.chunks.front();
      count = std::min(size, chunk.size());
      std::memcpy(buffer, chunk.data(), count);
      chunk.erase(0, count);
      if (chunk.empty()) out.chunks.pop_front();
    }
    if (out.chunks.empty() && out.end_stream) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }
};

std::optional<std::string> ClientStream::header(std::string_view name) const {
  return find(headers, name);
}

std::optional<std::string> ClientStream::trailer(std::string_view name) const {
  return find(trailers, name);
}

std::vector<std::string> ClientStream::messages() const {
  constexpr std::size_t kPrefix = 5;
  std::vector<std::string> found;
  std::size_t at = 0;
  while (body.size() - at >= kPrefix) {
    std::size_t size = 0;
    for (std::size_t i = 1; i < kPrefix; ++i)
      size = size << 8U | static_cast<unsigned char>(body[at + i]);
    if (body.size() - at - kPrefix < size) break;
    found.push_back(body.substr(at + kPrefix, size));
    at += kPrefix + size;
  }
  return found;
}

ClientPeer::ClientPeer(ClientOptions options) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  using C = ClientCallbacks;
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &C::on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &C::on_frame_recv);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &C::on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &C::on_close);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, options.auto_window ? 0 : 1);
  nghttp2_option_set_no_http_messaging(option, options.check_messages ? 0 : 1);
  nghttp2_option_set_peer_max_concurrent_streams(option, 1'000'000);
  nghttp2_session_client_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 1);
}

ClientPeer::~ClientPeer() { nghttp2_session_del(session_); }

std::int32_t ClientPeer::open_call(std::string_view path, const Headers& extra) {
  Headers headers = {{":method", "POST"},          {":scheme", "http"},
                     {":path", std::string(path)}, {":authority", "localhost"},
                     {"te", "trailers"},           {"content-type", "application/grpc"}};
  headers.insert(headers.end(), extra.begin(), extra.end());
  return open(headers);
}

std::int32_t ClientPeer::open(const Headers& headers, bool end_stream) {
  std::vector<nghttp2_nv> fields;
  for (const auto& [name, value] : headers)
    fields.push_back({bytes_of(name), bytes_of(value), name.size(), value.size(), 0});
  nghttp2_data_provider body{};
  body.read_callback = &ClientCallbacks::read;
  return nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                end_stream ? nullptr : &body, nullptr);
}

void ClientPeer::send(std::int32_t id, std::string bytes, bool end_stream) {
  Outgoing& out = outgoing_[id];
  if (!bytes.empty()) out.chunks.push_back(std::move(bytes));
  out.end_stream |= end_stream;
  if (std::exchange(out.deferred, false)) nghttp2_session_resume_data(session_, id);
}

void ClientPeer::send_message(std::int32_t id, std::string_view message, bool end_stream) {
  send(id, frame(message), end_stream);
}

void ClientPeer::reset(std::int32_t id, std::uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
}

void ClientPeer::consume(std::int32_t id, std::size_t bytes) {
  nghttp2_session_consume(session_, id, bytes);
}

std::string ClientPeer::take_output() {
  std::string out;
  for (;;) {
    const std::uint8_t* data = nullptr;
    const auto size = nghttp2_session_mem_send(session_, &data);
    if (size <= 0) return out;
    out.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  }
}

bool ClientPeer::receive(std::string_view bytes) {
  return nghttp2_session_mem_recv(session_, bytes_of(bytes), bytes.size()) >= 0;
}

void ClientPeer::forget_closed() {
  for (auto it = streams_.begin(); it != streams_.end();) {
    if (!it->second.closed) {
      ++it;
      continue;
    }
    outgoing_.erase(it->first);
    it = streams_.erase(it);
  }
}

std::size_t ClientPeer::unsent(std::int32_t id) const {
  const auto found = outgoing_.find(id);
  std::size_t bytes = 0;
  if (found == outgoing_.end()) return 0;
  for (const std::string& chunk : found->second.chunks) bytes += chunk.size();
  return bytes;
}

std::string frame(std::string_view message, std::uint8_t compressed) {
  std::string framed;
  framed += static_cast<char>(compressed);
  for (unsigned shift = 24;; shift -= 8) {
    framed += static_cast<char>(message.size() >> shift & 0xFFU);
    if (shift == 0) break;
  }
  framed += message;
  return framed;
}

}  // namespace extproc::http2::testing
