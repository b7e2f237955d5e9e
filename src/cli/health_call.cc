#include "cli/health_call.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>
#include <optional>

#include "cli/peer_protocol.h"
#include "extproc/error.h"
#include "extproc/status.h"
#include "extproc/version.h"

namespace extproc::cli {
namespace {

using ClientSession = std::unique_ptr<nghttp2_session, decltype(&nghttp2_session_del)>;

constexpr std::string_view kCheckPath = "/grpc.health.v1.Health/Check";
/// Whether it is compressed, and its length.
constexpr std::size_t kPrefixBytes = 5;

nghttp2_nv header(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::string framed_request(std::string_view service) {
  std::string message;
  grpc::write_health_request(message, service);
  std::string framed(kPrefixBytes, '\0');
  for (std::size_t i = 1; i < kPrefixBytes; ++i) {
    framed[i] = static_cast<char>(message.size() >> (8 * (kPrefixBytes - 1 - i)));
  }
  return framed + message;
}

/// "3" as a number; nothing for what is none.
std::optional<int> parse_code(std::string_view text) {
  int code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return code;
}

}  // namespace

/// What nghttp2 calls is C's and must not throw: what is wrong is kept in `wrong`.
struct HealthCall::Impl {
  explicit Impl(const HealthRequest& asked)
      : session(nullptr, &nghttp2_session_del),
        service(asked.service),
        request(framed_request(service)) {}

  void open();
  void submit(const HealthRequest& asked);
  int refuse(std::string why);
  int add_header(std::string_view name, std::string_view value);
  int add_data(std::string_view bytes);
  grpc::ServingStatus read_message() const;
  void require_ok() const;

  static Impl& of(void* user_data) { return *static_cast<Impl*>(user_data); }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t flags, void* user_data);
  static int on_data(nghttp2_session*, std::uint8_t flags, std::int32_t stream,
                     const std::uint8_t* data, std::size_t size, void* user_data);
  static int on_closed(nghttp2_session*, std::int32_t stream, std::uint32_t code, void* user_data);
  static ssize_t read_request(nghttp2_session*, std::int32_t stream, std::uint8_t* buffer,
                              std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                              void* user_data);

  ClientSession session;
  std::string service;
  std::string request;  // what is not yet sent
  std::int32_t stream = 0;
  /// All that came, until it is clear what it is.
  std::string first;
  bool is_http2 = false;
  std::size_t received = 0;

  std::size_t header_bytes = 0;
  std::string http_status, content_type, grpc_status, grpc_message;
  std::string data;
  std::optional<std::uint32_t> closed;  // with HTTP/2's error code
  std::string wrong;
};

int HealthCall::Impl::refuse(std::string why) {
  wrong = std::move(why);
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int HealthCall::Impl::add_header(std::string_view name, std::string_view value) {
  header_bytes += name.size() + value.size();
  if (header_bytes > kMostHeaderBytes) {
    return refuse("the server's headers are longer than " + std::to_string(kMostHeaderBytes) +
                  " bytes");
  }
  if (name == ":status") http_status = value;
  if (name == "content-type") content_type = value;
  if (name == "grpc-status") grpc_status = value;
  if (name == "grpc-message") grpc_message = value;
  return 0;
}

int HealthCall::Impl::add_data(std::string_view bytes) {
  if (data.size() + bytes.size() > kPrefixBytes + kMostMessageBytes) {
    return refuse("the server's answer is longer than " + std::to_string(kMostMessageBytes) +
                  " bytes");
  }
  data += bytes;
  return 0;
}

int HealthCall::Impl::on_header(nghttp2_session*, const nghttp2_frame* frame,
                                const std::uint8_t* name, std::size_t name_size,
                                const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                                void* user_data) {
  Impl& self = of(user_data);
  if (frame->hd.stream_id != self.stream) return 0;
  return self.add_header({reinterpret_cast<const char*>(name), name_size},
                         {reinterpret_cast<const char*>(value), value_size});
}

int HealthCall::Impl::on_data(nghttp2_session*, std::uint8_t, std::int32_t,
                              const std::uint8_t* data, std::size_t size, void* user_data) {
  return of(user_data).add_data({reinterpret_cast<const char*>(data), size});
}

int HealthCall::Impl::on_closed(nghttp2_session*, std::int32_t stream, std::uint32_t code,
                                void* user_data) {
  Impl& self = of(user_data);
  if (stream == self.stream) self.closed = code;
  return 0;
}

ssize_t HealthCall::Impl::read_request(nghttp2_session*, std::int32_t, std::uint8_t* buffer,
                                       std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                                       void* user_data) {
  std::string& request = of(user_data).request;
  const std::size_t taken = std::min(size, request.size());
  std::copy_n(request.data(), taken, buffer);
  request.erase(0, taken);
  if (request.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(taken);
}

void HealthCall::Impl::open() {
  nghttp2_session_callbacks* callbacks = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &on_closed);
  nghttp2_session* made = nullptr;
  const int result = nghttp2_session_client_new(&made, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  if (result != 0) throw std::bad_alloc();
  session.reset(made);
}

void HealthCall::Impl::submit(const HealthRequest& asked) {
  const std::array<nghttp2_settings_entry, 2> settings = {
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMostHeaderBytes}}};
  nghttp2_submit_settings(session.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  const std::array<nghttp2_nv, 7> headers = {
      header(":method", "POST"),
      header(":scheme", asked.scheme),
      header(":path", kCheckPath),
      header(":authority", asked.authority),
      header("te", "trailers"),
      header("content-type", "application/grpc"),
      header("user-agent", "extproc-health/" EXTPROC_VERSION_STRING)};
  nghttp2_data_provider body{};
  body.read_callback = &read_request;
  stream = nghttp2_submit_request(session.get(), nullptr, headers.data(), headers.size(), &body,
                                  nullptr);
  if (stream < 0) throw Error(std::string("no call can be made: ") + nghttp2_strerror(stream));
}

grpc::ServingStatus HealthCall::Impl::read_message() const {
  std::size_t length = 0;
  for (std::size_t i = 1; i < kPrefixBytes && i < data.size(); ++i) {
    length = length << 8 | static_cast<unsigned char>(data[i]);
  }
  const bool is_whole =
      data.size() >= kPrefixBytes && data[0] == 0 && length == data.size() - kPrefixBytes;
  const auto status =
      is_whole ? grpc::read_health_response(data.substr(kPrefixBytes)) : std::nullopt;
  if (!status) throw Error("the server's answer is no HealthCheckResponse");
  return *status;
}

void HealthCall::Impl::require_ok() const {
  const auto code = parse_code(grpc_status);
  if (grpc_status.empty() && *closed != NGHTTP2_NO_ERROR) {
    throw Error(std::string("the server reset the call: ") + nghttp2_http2_strerror(*closed));
  }
  if (grpc_status.empty()) {
    throw Error("the server does not speak gRPC: it answered with HTTP status " +
                on_one_line(http_status) +
                (content_type.empty() ? "" : ", content-type " + on_one_line(content_type)));
  }
  if (code == static_cast<int>(GrpcStatus::ok)) return;
  if (code == static_cast<int>(GrpcStatus::not_found)) {
    throw Error("the server does not know the service \"" + on_one_line(service) +
                "\" (NOT_FOUND): see --service");
  }
  if (code == static_cast<int>(GrpcStatus::unimplemented)) {
    throw Error("the server has no health service, grpc.health.v1.Health (UNIMPLEMENTED)");
  }
  const bool is_known =
      code && *code >= 0 && *code <= static_cast<int>(GrpcStatus::unauthenticated);
  throw Error("the server ended the call with " +
              (is_known ? std::string(to_string(static_cast<GrpcStatus>(*code)))
                        : "grpc-status " + on_one_line(grpc_status)) +
              (grpc_message.empty() ? "" : ": " + on_one_line(grpc_message)));
}

HealthCall::HealthCall(const HealthRequest& request) : impl_(std::make_unique<Impl>(request)) {
  impl_->open();
  impl_->submit(request);
}

HealthCall::~HealthCall() = default;

void HealthCall::receive(std::string_view bytes) {
  impl_->received += bytes.size();
  if (impl_->received > kMostBytes) {
    throw Error("the server has sent more than " + std::to_string(kMostBytes) +
                " bytes and no answer");
  }
  std::string begin;
  if (!impl_->is_http2) {
    impl_->first += bytes;
    const auto protocol = peer_protocol(impl_->first, false);
    if (protocol == PeerProtocol::another) throw Error(describe_protocol(impl_->first));
    if (protocol == PeerProtocol::too_short) return;
    impl_->is_http2 = true;
    begin.swap(impl_->first);
    bytes = begin;
  }
  const auto taken = nghttp2_session_mem_recv(
      impl_->session.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (!impl_->wrong.empty()) throw Error(impl_->wrong);
  if (taken < 0) {
    throw Error(std::string("the server's HTTP/2 is not right: ") +
                nghttp2_strerror(static_cast<int>(taken)));
  }
}

void HealthCall::receive_end() {
  if (is_over()) return;
  if (impl_->received == 0) {
    throw Error(
        "the server closed the connection without an answer: if it speaks TLS, ask it "
        "with --tls");
  }
  if (!impl_->is_http2) throw Error(describe_protocol(impl_->first));
  throw Error("the server closed the connection before it answered");
}

std::string HealthCall::take_output() {
  std::string bytes;
  while (true) {
    const std::uint8_t* part = nullptr;
    const auto size = nghttp2_session_mem_send(impl_->session.get(), &part);
    if (size < 0) {
      throw Error(std::string("the call cannot go on: ") +
                  nghttp2_strerror(static_cast<int>(size)));
    }
    if (size == 0) break;
    bytes.append(reinterpret_cast<const char*>(part), static_cast<std::size_t>(size));
  }
  nghttp2_session* session = impl_->session.get();
  // nghttp2 tells of a broken rule in its GOAWAY alone, behind which it is at its end.
  if (!is_over() && nghttp2_session_want_read(session) == 0) {
    throw Error("the server breaks the rules of HTTP/2");
  }
  return bytes;
}

bool HealthCall::is_over() const { return impl_->closed.has_value(); }
bool HealthCall::has_received() const { return impl_->received > 0; }

grpc::ServingStatus HealthCall::answer() const {
  impl_->require_ok();
  return impl_->read_message();
}

}  // namespace extproc::cli
