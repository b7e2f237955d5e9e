#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/export.h"
#include "extproc/header_mutation.h"
#include "extproc/immediate_response.h"
#include "extproc/processing_mode.h"
#include "extproc/streamed_response.h"
#include "extproc/struct.h"

namespace extproc {

/// What becomes of a body: `envoy.service.ext_proc.v3.BodyMutation`.
enum class BodyChange : std::uint8_t { none, replace, clear };

/// What an answer carries besides the changes of its phase: the other fields of
/// `ProcessingResponse`.
struct ResponseExtras {
  struct Typed {
    std::string name;
    std::string type_url;
    std::string value;
  };
  std::vector<std::pair<std::string, Struct>> dynamic_metadata{};
  std::vector<Typed> typed_dynamic_metadata{};
  std::optional<ModeOverride> mode_override{};
  bool drain_requests = false;
  bool drain_responses = false;

  /// One entry for each name: a message with two of a name would have the later one only.
  EXTPROC_API void add_dynamic_metadata(std::string_view name, const StructView& value);
};

namespace detail {

class Access;

/// What is answered when a handler takes too long.
struct Fallback {
  /// From the message's arrival.
  std::chrono::milliseconds after;
  /// Nothing: "continue, change nothing".
  std::optional<ImmediateResponse> response;
};

/// That the answer to headers waits for the handler over the body.
struct BodyWait {
  /// What is answered where it waited in vain; nothing: all goes on unchanged.
  std::optional<ImmediateResponse> otherwise;
};

/// Told of a fallback by a handler that runs on another thread than its stream.
class FallbackListener {
 public:
  virtual void on_fallback(Fallback fallback) = 0;

 protected:
  ~FallbackListener() = default;
};

}  // namespace detail

/// What every phase's answer can do. A fresh one is handed to each handler; left alone it means
/// "continue, change nothing". All arguments are copied. Used by one handler at a time.
class EXTPROC_API PhaseResponse {
 public:
  PhaseResponse(const PhaseResponse&) = delete;
  PhaseResponse& operator=(const PhaseResponse&) = delete;

  /// Sets a header to exactly this value: it overwrites, and a repeated header becomes one.
  void set_header(std::string_view name, std::string_view value) { mutation_.set(name, value); }
  void set_headers(std::span<const std::pair<std::string_view, std::string_view>> headers);
  void set_headers(std::initializer_list<std::pair<std::string_view, std::string_view>> headers) {
    set_headers(std::span(headers.begin(), headers.size()));
  }
  /// Adds an entry of the header, besides those that exist.
  void append_header(std::string_view name, std::string_view value) {
    mutation_.append(name, value);
  }
  /// Removes every entry of the header. Envoy refuses it for `host` and pseudo-headers.
  void remove_header(std::string_view name) { mutation_.remove(name); }
  void remove_headers(std::span<const std::string_view> names);
  void remove_headers(std::initializer_list<std::string_view> names) {
    remove_headers(std::span(names.begin(), names.size()));
  }

  /// Answers the caller at once when the handler returns; whatever else this response was told is
  /// dropped.
  void respond(ImmediateResponse response) { immediate_ = std::move(response); }

  /// Emits dynamic metadata under `name` (a namespace, "com.example.auth"), for later filters,
  /// routes and access logs. Envoy takes it where the filter names the namespace in
  /// `metadata_options.receiving_namespaces.untyped`, else drops it without a word. What is emitted
  /// under a name again is merged, field by field, as Envoy does it with several answers.
  void set_dynamic_metadata(std::string_view name, Struct value);
  /// The same as a message of a type of its own, serialised; `receiving_namespaces.typed`.
  void set_typed_dynamic_metadata(std::string_view name, std::string_view type_url,
                                  std::string_view value);

  /// Asks the client to send no more of the request's (the response's) body here. It says
  /// HttpBody::drain_complete when it has sent what it had, and goes on by itself. For clients that
  /// implement it; Envoy 1.40 ignores it.
  void request_drain_requests() { extras().drain_requests = true; }
  void request_drain_responses() { extras().drain_responses = true; }

  /// For handlers that wait: when this one has not returned `time` after its message came, Envoy is
  /// answered with `response`, or "continue, change nothing" without one. The handler is told to
  /// stop (Context::cancelled), and what it answers is dropped. To be called before the first
  /// await. With FilterSettings::max_message_timeout the time can be longer than Envoy's
  /// message_timeout: Envoy is asked for more. While the handler still runs after that, the
  /// request's next message waits for it as long again; then it and all later ones are answered
  /// with "continue, change nothing", without their handlers.
  ///
  /// For a handler over a whole body (BodyStream::response) the time counts from the chunk that it
  /// has not answered, or, in FULL_DUPLEX_STREAMED and GRPC mode, since it last read one and did
  /// not come back for the next. What it has not answered, and all that follows, then passes
  /// unchanged; of a chunk that it had begun to write in those two modes the rest is lost.
  void fall_back_after(std::chrono::milliseconds time,
                       std::optional<ImmediateResponse> response = std::nullopt) {
    detail::Fallback fallback{time, std::move(response)};
    if (fallback_listener_ != nullptr) {
      fallback_listener_->on_fallback(std::move(fallback));
    } else {
      fallback_ = std::make_unique<detail::Fallback>(std::move(fallback));
    }
  }

  const HeaderMutation& header_mutation() const { return mutation_; }
  HeaderMutation& header_mutation() { return mutation_; }
  const std::optional<ImmediateResponse>& immediate_response() const { return immediate_; }
  /// What it carries besides; null where that is nothing.
  const ResponseExtras* extras_or_null() const { return extras_.get(); }

 protected:
  PhaseResponse() = default;
  ~PhaseResponse() = default;
  void reset();
  ResponseExtras& extras() {
    if (!extras_) extras_ = std::make_unique<ResponseExtras>();
    return *extras_;
  }

 private:
  friend class detail::Access;

  HeaderMutation mutation_;
  std::optional<ImmediateResponse> immediate_;
  std::unique_ptr<ResponseExtras> extras_;
  std::unique_ptr<detail::Fallback> fallback_;
  detail::FallbackListener* fallback_listener_ = nullptr;
};

/// The answer to request or response headers: `envoy.service.ext_proc.v3.HeadersResponse`.
class EXTPROC_API HeadersResponse : public PhaseResponse {
 public:
  /// Has Envoy choose the route again, with the headers as changed here. Envoy heeds it in the
  /// request direction only, and only together with a header mutation.
  void clear_route_cache(bool clear = true) { clear_route_cache_ = clear; }
  /// Has the body decide: the answer to these headers waits for the handler over the whole body
  /// (stream_request_body, stream_response_body). What that one asks BodyStream::response() and
  /// BodyStream::clear_route_cache() for until its first write, or its return where it writes
  /// nothing, is part of this answer, behind what was asked for here. A response to the caller
  /// takes the place of both.
  /// - FULL_DUPLEX_STREAMED: the deciding bytes may stand anywhere. The server keeps what was read
  ///   till then, at most Limits::held_bytes_per_stream, and waits at most Limits::held_time. Envoy
  ///   runs no timer, and has let go of what it sent, so that its failure_mode_allow does not help.
  /// - STREAMED with send_body_without_waiting_for_header_response: they must be within what Envoy
  ///   buffers, and its message_timeout runs anew with each chunk.
  /// - BUFFERED, BUFFERED_PARTIAL: headers are changed with the body, so that nothing has to wait.
  /// - Otherwise nothing waits, and Rule::body_not_awaited is told.
  /// Where it waits for too long or too much, Envoy is answered with `otherwise`; without that, all
  /// goes on without the body's handler, which is told to stop (Rule::body_awaited_too_long).
  /// For CONNECT, upgrades, calls of gRPC, headers that end the stream, and where the message is
  /// replaced, nothing waits.
  void wait_for_body(std::optional<ImmediateResponse> otherwise = std::nullopt);

  /// Replaces headers and body at once (CONTINUE_AND_REPLACE): Envoy sends no body or trailers of
  /// this direction. The original content-length is dropped by Envoy. `body` is left out, and the
  /// log says so, where HTTP has none (Rule::body_not_allowed).
  void continue_and_replace(std::string body);

  /// Has the rest of this HTTP request processed in other modes than the filter's configuration
  /// says: asks for the body only where it matters, or for nothing more. Envoy heeds it where the
  /// filter has `allow_mode_override`, and neither `send_body_without_waiting_for_header_response`
  /// nor a body mode of FULL_DUPLEX_STREAMED of its own; where the client's protocol_config or
  /// FilterSettings::allowed_override_modes shows that it would not, it is left out and logged. One
  /// to FULL_DUPLEX_STREAMED is sent where FilterSettings::allow_mode_override says that the filter
  /// allows it, and brings the trailers of its direction along; STREAMED needs no such setting.
  /// Body modes that are left unset are sent as they are, because Envoy takes a missing one for
  /// NONE. Where it turns a body to STREAMED, BUFFERED_PARTIAL or FULL_DUPLEX_STREAMED,
  /// content-length is removed in the same answer, as Envoy does it itself where the filter has
  /// that mode. Beside a response to the caller none is sent.
  void override_mode(const ModeOverride& mode) { extras().mode_override = mode; }

  /// Answers the caller with a response that is written piece by piece, in place of the upstream's:
  /// `StreamedImmediateResponse`, of Envoy 1.37 and later. In request_headers only. The head leaves
  /// at once; the response ends with StreamedResponse::finish, or when the handler returns. Where
  /// Envoy would refuse it (another body mode than NONE and FULL_DUPLEX_STREAMED), it is collected
  /// and sent as an ImmediateResponse when the handler returns; trailers are lost then. Of a
  /// repeated header Envoy 1.40 keeps the last alone; content-length is left out, but in a response
  /// to HEAD and a 304. What else the answer asks for leaves with the next piece: it is to be asked
  /// for before the end. Throws Error when the status is not between 200 and 599.
  StreamedResponse& respond_streaming(
      int status, std::vector<std::pair<std::string, std::string>> headers = {});

  bool is_route_cache_cleared() const { return clear_route_cache_; }
  const std::optional<std::string>& replacement() const { return replacement_; }

  [[deprecated("use is_route_cache_cleared()")]] bool clears_route_cache() const {
    return clear_route_cache_;
  }

 private:
  friend class detail::Access;

  void reset();

  bool clear_route_cache_ = false;
  std::optional<std::string> replacement_;
  StreamedResponse streamed_;
  std::unique_ptr<detail::BodyWait> body_wait_;
};

/// The answer to a request or response body: `envoy.service.ext_proc.v3.BodyResponse`. Header
/// changes count in the BUFFERED and BUFFERED_PARTIAL modes only; Envoy ignores them in the
/// streamed ones.
class EXTPROC_API BodyResponse : public PhaseResponse {
 public:
  /// Sends `body` on in place of what came. In BUFFERED mode content-length is set right in the
  /// same answer.
  void replace_body(std::string_view body);
  /// Sends an empty body on.
  void clear_body();
  /// As in HeadersResponse.
  void clear_route_cache(bool clear = true) { clear_route_cache_ = clear; }
  /// GRPC mode: the body that goes on is a compressed gRPC message. What is left unchanged stays as
  /// it came.
  void set_grpc_message_compressed(bool compressed = true) { compressed_ = compressed; }

  BodyChange body_change() const { return change_; }
  std::string_view body() const { return body_; }
  /// For a host's AnswerSink (host.h) that sends it on; leaves it empty.
  std::string take_body() { return std::exchange(body_, {}); }
  bool is_route_cache_cleared() const { return clear_route_cache_; }
  bool is_grpc_message_compressed() const { return compressed_; }

  [[deprecated("use is_route_cache_cleared()")]] bool clears_route_cache() const {
    return clear_route_cache_;
  }
  [[deprecated("use set_grpc_message_compressed()")]] void grpc_message_compressed(
      bool compressed = true) {
    compressed_ = compressed;
  }

 private:
  friend class detail::Access;

  void reset();

  BodyChange change_ = BodyChange::none;
  bool clear_route_cache_ = false;
  bool compressed_ = false;
  std::string body_;
};

/// The answer to request or response trailers: `envoy.service.ext_proc.v3.TrailersResponse`.
class EXTPROC_API TrailersResponse : public PhaseResponse {
 public:
  TrailersResponse() = default;
};

}  // namespace extproc
