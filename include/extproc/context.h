#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/status.h"
#include "extproc/version.h"

namespace extproc {

namespace detail {
struct EventLoop;

/// What a Context tells of its gRPC call; lives as long as the Context.
class CallInfo {
 public:
  virtual std::string_view peer() const = 0;
  virtual std::optional<std::chrono::steady_clock::time_point> deadline() const = 0;
  virtual std::size_t metadata_size() const = 0;
  virtual std::pair<std::string_view, std::string_view> metadata_at(std::size_t index) const = 0;

 protected:
  ~CallInfo() = default;
};

struct Abort {
  GrpcStatus status;
  std::string message;
};
}  // namespace detail

/// What surrounds the message: the gRPC call that it came in, and how to end it. The same object
/// for all phases of a stream; it lives as long as the stream, and as any handler of it that still
/// runs.
class EXTPROC_API Context {
 public:
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Who called: "127.0.0.1:41234", "[::1]:41234", or "unix:".
  std::string_view peer() const;
  /// The first value of a header of the gRPC call (not of the HTTP request), name in lower case;
  /// nothing when absent. In Envoy: `initial_metadata` of the filter's grpc_service.
  std::optional<std::string_view> metadata(std::string_view name) const;
  /// All of them, in order.
  std::vector<std::pair<std::string_view, std::string_view>> metadata() const;
  /// When the whole stream runs out, from grpc-timeout. In Envoy: `timeout` of the filter's
  /// grpc_service.
  std::optional<std::chrono::steady_clock::time_point> deadline() const;

  /// The stream is over: the peer reset it, the deadline passed, or the server shut down. The
  /// answer will be dropped. A synchronous handler on an I/O thread never sees it change while it
  /// runs. Any thread.
  bool cancelled() const { return cancel_.stop_possible() && cancel_.stop_requested(); }
  /// The same to wait on or to hand on, in asynchronous and blocking handlers.
  std::stop_token cancellation() const { return cancel_.get_token(); }

  /// The filter only observes (`observability_mode`): answers are not sent.
  bool observability_mode() const { return observability_mode_; }

  /// Ends the stream with `status` when the handler returns, in place of an answer. Envoy then
  /// fails the HTTP request, or lets it go on where failure_mode_allow is set. `message` goes to
  /// Envoy's log; Envoy does not send it to the caller.
  void abort(GrpcStatus status, std::string message = {}) {
    abort_ = detail::Abort{status, std::move(message)};
  }

 private:
  friend class ContextAccess;

  const detail::CallInfo* info_ = nullptr;
  detail::EventLoop* loop_ = nullptr;
  std::stop_source cancel_{std::nostopstate};
  std::optional<detail::Abort> abort_;
  bool observability_mode_ = false;
};

/// How the library's own layers reach into a Context. Not for users.
class ContextAccess {
 public:
  static void begin(Context& context, const detail::CallInfo* info, detail::EventLoop* loop,
                    bool cancellable) {
    context.info_ = info;
    context.loop_ = loop;
    context.cancel_ = cancellable ? std::stop_source() : std::stop_source(std::nostopstate);
    context.abort_.reset();
    context.observability_mode_ = false;
  }
  static void request_cancel(Context& context) { context.cancel_.request_stop(); }
  static void set_observability_mode(Context& context, bool on) {
    context.observability_mode_ = on;
  }
  static const std::optional<detail::Abort>& aborted(const Context& context) {
    return context.abort_;
  }
  static detail::EventLoop* loop(const Context& context) { return context.loop_; }
};

}  // namespace extproc
