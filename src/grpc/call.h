#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "extproc/peer_certificate.h"
#include "extproc/status.h"
#include "grpc/metadata.h"

namespace extproc::grpc {

using Clock = std::chrono::steady_clock;

/// Why a call is over.
enum class CloseReason : std::uint8_t {
  finished,           ///< Call::finish was called and its status was sent
  reset,              ///< the peer reset the stream: Envoy's normal end
  deadline_exceeded,  ///< grpc-timeout, or the time for a message; DEADLINE_EXCEEDED was sent
  malformed,          ///< a broken frame; INTERNAL was sent
  over_limit,         ///< a message, or all that is buffered; RESOURCE_EXHAUSTED was sent
  connection_lost,    ///< the connection ended
  shutdown,           ///< the server's grace period ended; UNAVAILABLE was sent
};

/// One call from the side of the method that answers it. All calls come on the connection's thread.
class CallHandler {
 public:
  /// One complete message, in order; never while the call is paused. `message` is valid until it
  /// returns.
  virtual void on_message(std::string_view message) noexcept = 0;
  /// The peer will send no more, and all its messages were delivered; like them, not while the call
  /// is paused.
  virtual void on_half_close() noexcept = 0;
  /// Answers were congested, and are not any more.
  virtual void on_writable() noexcept {}
  /// The call is over; the last thing that the handler hears, exactly once. `Call` must not be used
  /// after it, and nothing refers to the handler any more: it may free itself here.
  virtual void on_closed(CloseReason reason) noexcept = 0;

 protected:
  ~CallHandler() = default;
};

/// One call from the side of the transport: what its handler can do. Implemented by ServerCall;
/// tests of handlers have their own.
class Call {
 public:
  /// Where the next message is to be appended, behind whatever the buffer holds; end_message() then
  /// sends what was appended. Between the two, nothing else of this call may be called.
  virtual std::string& begin_message() = 0;
  virtual void end_message() = 0;
  /// The same with `tail` behind it, which is large: it is written from where it lies.
  virtual void end_message_with(std::string tail) = 0;

  /// Sends status and trailers; answers that wait go out before them. Without any message it is a
  /// trailers-only answer. Messages that still arrive are dropped. Nothing can be sent after it.
  virtual void finish(GrpcStatus status, std::string_view message = {}) = 0;

  /// While paused, messages wait in order and the peer is given no more credit once a complete one
  /// waits. Messages also wait while more than Limits::queued_bytes_per_stream of this call's
  /// answers do.
  virtual void pause() = 0;
  /// Delivers what waits, perhaps before it returns.
  virtual void resume() = 0;
  /// More than Limits::queued_bytes_per_stream of this call's answers wait.
  virtual bool congested() const = 0;

  /// The handler keeps so many bytes more, or less, of what came in the call; none any more when it
  /// has heard on_closed. Over the connection's limit the call ends when on_message returns.
  virtual void kept(std::ptrdiff_t bytes) { static_cast<void>(bytes); }

  virtual const Metadata& metadata() const = 0;
  virtual std::optional<Clock::time_point> deadline() const = 0;
  virtual std::string_view peer() const = 0;
  /// Null where it showed none.
  virtual const std::shared_ptr<const PeerCertificate>& peer_certificate() const = 0;
  /// Within on_closed(CloseReason::over_limit): which limit, as the peer is told.
  virtual std::string_view limit() const { return {}; }

 protected:
  ~Call() = default;
};

/// Methods, found by path: "/package.Service/Method".
class GrpcService {
 public:
  virtual ~GrpcService() = default;
  /// The handler of a call to `path`, or null when the path is not one of this service's. The
  /// handler may call finish() at once, inside of this call.
  virtual CallHandler* start(std::string_view path, Call& call) = 0;
};

}  // namespace extproc::grpc
