#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/detail/made_metadata.h"
#include "extproc/detail/stored_maps.h"
#include "extproc/export.h"
#include "extproc/peer_certificate.h"
#include "extproc/processing_mode.h"
#include "extproc/status.h"
#include "extproc/struct.h"
#include "extproc/trace.h"

namespace extproc {

namespace detail {
class Access;
struct EventLoop;

/// What only a gRPC call has.
enum class CallPart : std::uint8_t { metadata, deadline, peer_certificate };

/// What a Context tells of its gRPC call; lives as long as the Context.
class CallInfo {
 public:
  virtual std::string_view peer() const = 0;
  virtual const PeerCertificate* peer_certificate() const { return nullptr; }
  virtual std::optional<std::chrono::steady_clock::time_point> deadline() const = 0;
  virtual std::size_t metadata_size() const = 0;
  virtual std::pair<std::string_view, std::string_view> metadata_at(std::size_t index) const = 0;
  /// False where it is known that no traceparent is among the metadata.
  virtual bool may_have_trace() const { return true; }
  /// A handler has asked for what was not there. Any thread.
  virtual void note_missing(CallPart /*part*/) const {}
  /// Where there is no call: what was noted, once. Any thread.
  virtual std::optional<CallPart> take_missing() const { return std::nullopt; }

 protected:
  ~CallInfo() = default;
};

/// What a Context keeps of the messages of its stream. Few streams have attributes or metadata, and
/// an idle one is to be small.
struct MessageContext {
  struct Data {
    /// The last entries of `attributes` of the request's direction, and of the response's.
    StoredMaps attributes[2];
    /// The last `metadata_context`.
    StoredMaps metadata;

    std::size_t memory() const {
      return attributes[0].memory() + attributes[1].memory() + metadata.memory();
    }
  };
  std::unique_ptr<Data> data{};
  /// Of a chain: what its processors have set of the metadata.
  MadeMetadata made{};
  std::optional<ProtocolConfiguration> protocol_config{};
  bool observability_mode = false;

  /// Memory is kept for the next stream where it is little.
  void forget() {
    constexpr std::size_t kKept = 4096;
    if (data == nullptr) return;
    if (data->memory() > kKept) return data.reset();
    for (StoredMaps* each : {&data->attributes[0], &data->attributes[1], &data->metadata})
      each->replace();
  }
  Data& some_data() {
    if (!data) data = std::make_unique<Data>();
    return *data;
  }
};

struct Abort {
  GrpcStatus status;
  std::string message;
};

/// What few Contexts have.
struct ContextExtras {
  std::optional<Abort> abort{};
  /// The span that its handler runs in; null where there are no traces.
  const TraceContext* span = nullptr;
};
}  // namespace detail

/// `google.protobuf.Any`: a message of the type that `type_url` names, serialised.
struct TypedValue {
  std::string_view type_url;
  std::string_view value;
};

/// What surrounds the message: what Envoy tells about the HTTP request, the gRPC call that it came
/// in, and how to end it. It lives as long as the stream, and as any handler of it that still runs.
class EXTPROC_API Context {
 public:
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Who called: "127.0.0.1:41234", "[::1]:41234", or "unix:".
  std::string_view peer() const;
  /// The certificate by which the caller was let in, as long as the Context; null in clear text,
  /// and where the server asks for none (TlsSettings::client_ca).
  const PeerCertificate* peer_certificate() const;
  /// The first value of a header of the gRPC call (not of the HTTP request), name in lower case;
  /// nothing when absent. In Envoy: `initial_metadata` of the filter's grpc_service.
  std::optional<std::string_view> metadata(std::string_view name) const;
  /// All of them, in order.
  std::vector<std::pair<std::string_view, std::string_view>> metadata() const;
  /// When the whole stream runs out, from grpc-timeout; nothing when the client sent none. Envoy
  /// 1.40 never does: it ignores `timeout` of the filter's grpc_service.
  std::optional<std::chrono::steady_clock::time_point> deadline() const;

  /// The value of an attribute that the filter sends (`request_attributes`, `response_attributes`),
  /// as in attribute("request.path") or attribute("xds.route_name"); nothing when it was not sent.
  /// Envoy sends those of a direction once, with its first message; they are kept for the later
  /// phases, until others of that direction come. One that both directions have is the response's.
  /// The view lives as long as the handler that asked; through an await of a body's next chunk it
  /// does not.
  std::optional<ValueView> attribute(std::string_view name) const;
  /// All of them, by the name of the filter that computed them ("envoy.filters.http.ext_proc").
  std::vector<std::pair<std::string_view, StructView>> attributes() const;

  /// The dynamic metadata of a namespace, where the filter forwards it
  /// (`metadata_options.forwarding_namespaces.untyped`): `metadata_context.filter_metadata`. As of
  /// the stream's last message; in a chain with what its processors have set since, field by field,
  /// whether or not the filter takes that. Its view lives as an attribute's does.
  std::optional<StructView> filter_metadata(std::string_view name) const;
  /// The same where it is typed (`forwarding_namespaces.typed`): `typed_filter_metadata`.
  std::optional<TypedValue> typed_filter_metadata(std::string_view name) const;

  /// How the filter is set up, as it said on the stream's first message; nothing from a client that
  /// does not say it, or in observability mode. A mode override does not show here.
  const std::optional<ProtocolConfiguration>& protocol_config() const {
    return messages_->protocol_config;
  }

  /// The stream is over: the peer reset it, the deadline passed, or the server shut down. Or this
  /// handler's fallback was sent. The answer will be dropped. A synchronous handler on an I/O
  /// thread never sees it change while it runs. Any thread.
  bool cancelled() const { return cancel_.stop_possible() && cancel_.stop_requested(); }
  /// The same to wait on or to hand on, in asynchronous and blocking handlers.
  std::stop_token cancellation() const { return cancel_.get_token(); }

  /// The filter only observes (`observability_mode`): answers are not sent.
  bool observability_mode() const { return messages_->observability_mode; }

  /// Where the handler is in the trace of its request, to be sent on with calls of its own: the
  /// span of its phase where the trace is recorded, and else what came with the request. Null where
  /// the server has no traces (Settings::tracing). As long as the handler runs.
  const TraceContext* trace() const { return extras_ == nullptr ? nullptr : extras_->span; }

  /// Ends the stream with `status` when the handler returns, in place of an answer. Envoy then
  /// fails the HTTP request, or lets it go on where failure_mode_allow is set. `message` goes to
  /// Envoy's log; Envoy does not send it to the caller.
  void abort(GrpcStatus status, std::string message = {}) {
    some_extras().abort = detail::Abort{status, std::move(message)};
  }

 private:
  friend class detail::Access;

  detail::ContextExtras& some_extras() {
    if (!extras_) extras_ = std::make_unique<detail::ContextExtras>();
    return *extras_;
  }

  const detail::CallInfo* info_ = nullptr;
  detail::EventLoop* loop_ = nullptr;
  std::stop_source cancel_{std::nostopstate};
  std::unique_ptr<detail::ContextExtras> extras_;
  detail::MessageContext own_messages_;
  const detail::MessageContext* messages_ = &own_messages_;
};

}  // namespace extproc
