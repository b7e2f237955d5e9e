#pragma once

#include "extproc/phase.h"
#include "extproc/processing_mode.h"

namespace extproc::exchange {

/// Which phases of a stream can still come, from those that came.
class PhaseProgress {
 public:
  /// A message of `phase`; `end_of_stream` as in headers and bodies.
  void seen(Phase phase, bool end_of_stream);
  /// No body or trailers of the direction will come, whatever was sent: CONTINUE_AND_REPLACE.
  void replaced(Phase headers_phase) {
    end(headers_phase);
    of(headers_phase).replaced = true;
  }
  /// A message of this direction was under way when it was replaced: it wants no answer.
  bool is_replaced(Phase phase) const { return of(phase).replaced; }
  /// Whether a message of one of `phases` may still come. `config`: what the client said, which the
  /// answers may have changed: `overridden`.
  bool may_come(PhaseSet phases, const ProtocolConfiguration& config, bool overridden) const;

 private:
  struct Direction {
    bool begun = false;
    bool body_seen = false;
    bool body_over = false;
    bool over = false;
    bool replaced = false;
  };

  Direction& of(Phase phase) { return directions_[is_request_phase(phase) ? 0 : 1]; }
  const Direction& of(Phase phase) const { return directions_[is_request_phase(phase) ? 0 : 1]; }
  void end(Phase phase) { of(phase).begun = of(phase).body_over = of(phase).over = true; }
  bool may_come(Phase phase, const ProtocolConfiguration& config, bool overridden) const;

  Direction directions_[2];
};

}  // namespace extproc::exchange
