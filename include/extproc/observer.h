#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "extproc/export.h"
#include "extproc/phase.h"
#include "extproc/status.h"

namespace extproc {

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
/// Called on the stream's I/O thread, several threads at once, in the path of a request: it must be
/// quick and must not throw. `request` is valid during the call; its address is the same in every
/// call about one stream.
class EXTPROC_API Observer {
 public:
  virtual ~Observer() = default;

  /// A stream of the processor named `processor` begins.
  virtual void stream_begin(std::string_view processor, const Request& request);
  /// It ended with `status`. `cancelled`: by the peer's reset or the connection's end, which is how
  /// Envoy ends a stream in good order; the status is then CANCELLED, unless the processor's side
  /// had ended the stream before.
  virtual void stream_end(std::string_view processor, const Request& request, GrpcStatus status,
                          bool cancelled, std::chrono::nanoseconds duration);
  /// A handler is about to run, or (for a phase without one) to be skipped.
  virtual void phase_begin(std::string_view processor, const Request& request, Phase phase);
  /// It ended, after `duration` in the handler, waiting included.
  virtual void phase_end(std::string_view processor, const Request& request, Phase phase,
                         PhaseOutcome outcome, std::chrono::nanoseconds duration);
};

}  // namespace extproc
