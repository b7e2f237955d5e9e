#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "extproc/export.h"
#include "extproc/phase.h"
#include "extproc/status.h"

namespace extproc {

class Context;
class Request;

/// How a phase's handler ended.
enum class PhaseOutcome : std::uint8_t {
  answered,   ///< an answer was sent, or would have been in observability mode
  immediate,  ///< an immediate response was sent in its place
  aborted,    ///< Context::abort, or work of it was refused (Settings::blocking_queue)
  failed,     ///< an exception escaped
  cancelled,  ///< the stream ended before the handler did; its answer was dropped
  late,       ///< the fallback was sent before the handler returned; its answer was dropped
};

EXTPROC_API std::string_view to_string(PhaseOutcome outcome);

/// Told of the life of streams and phases: metrics and traces hang on it. The spans of the Python
/// SDK are `process` (stream_begin to stream_end) and `process.<phase>` (phase_begin to phase_end).
/// Health checks are not observed.
///
/// Each comes in two forms, with the Context and without: override the one that is of use. The
/// library calls the form with it alone, and that, unless it is overridden, calls the other.
///
/// Called on the stream's I/O thread, several threads at once, in the path of a request: it must be
/// quick and must not throw. `context` and `request` are valid during the call; the request's
/// address is the same in every call about one stream. At a stream's begin the context tells of the
/// gRPC call alone, and attributes and metadata from its first message to its end.
class EXTPROC_API Observer {
 public:
  virtual ~Observer() = default;

// Whoever overrides one form hides the other, and misses nothing by it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
  /// A stream of the processor named `processor` begins.
  virtual void stream_begin(std::string_view processor, const Context& context,
                            const Request& request);
  virtual void stream_begin(std::string_view processor, const Request& request);
  /// It ended with `status`. `cancelled`: by the peer's reset or the connection's end, which is how
  /// Envoy ends a stream in good order; the status is then CANCELLED, unless the processor's side
  /// had ended the stream before.
  virtual void stream_end(std::string_view processor, const Context& context,
                          const Request& request, GrpcStatus status, bool cancelled,
                          std::chrono::nanoseconds duration);
  virtual void stream_end(std::string_view processor, const Request& request, GrpcStatus status,
                          bool cancelled, std::chrono::nanoseconds duration);
  /// A handler is about to run, or (for a phase without one) to be skipped.
  virtual void phase_begin(std::string_view processor, const Context& context,
                           const Request& request, Phase phase);
  virtual void phase_begin(std::string_view processor, const Request& request, Phase phase);
  /// It ended, after `duration` in the handler, waiting included.
  virtual void phase_end(std::string_view processor, const Context& context, const Request& request,
                         Phase phase, PhaseOutcome outcome, std::chrono::nanoseconds duration);
  virtual void phase_end(std::string_view processor, const Request& request, Phase phase,
                         PhaseOutcome outcome, std::chrono::nanoseconds duration);
#pragma GCC diagnostic pop
};

}  // namespace extproc
