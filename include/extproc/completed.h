#pragma once

#include <chrono>

#include "extproc/status.h"

namespace extproc {

/// How one HTTP request went at its processor.
struct Completed {
  /// Not OK where an exception escaped from a handler, a handler aborted, a limit was reached, or
  /// the stream was ended so; CANCELLED where it was `cancelled` before it had ended itself.
  GrpcStatus status = GrpcStatus::ok;
  /// The client ended it, or its connection: Envoy's end in good order.
  bool cancelled = false;
  /// A response to the caller was given.
  bool replied = false;
  /// From the stream's begin to its end, and spent in this processor's handlers, waiting included.
  /// Of host::Control::completed zero where nobody measures (host::Settings::measures).
  std::chrono::nanoseconds open{0};
  std::chrono::nanoseconds in_handlers{0};
};

}  // namespace extproc
