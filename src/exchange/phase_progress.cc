#include "exchange/phase_progress.h"

namespace extproc::exchange {

void PhaseProgress::seen(Phase phase, bool end_of_stream) {
  Direction& direction = of(phase);
  direction.begun = true;
  switch (phase) {
    case Phase::request_headers:
    case Phase::response_headers:
      if (end_of_stream) end(phase);
      break;
    case Phase::request_body:
    case Phase::response_body:
      direction.body_seen = true;
      if (end_of_stream) end(phase);
      break;
    case Phase::request_trailers:
    case Phase::response_trailers:
      end(phase);
      break;
  }
}

bool PhaseProgress::may_come(PhaseSet phases, const ProtocolConfiguration& config,
                             bool overridden) const {
  for (std::size_t i = 0; i < kPhaseCount; ++i) {
    const auto phase = static_cast<Phase>(i);
    if (phases.contains(phase) && may_come(phase, config, overridden)) return true;
  }
  return false;
}

bool PhaseProgress::may_come(Phase phase, const ProtocolConfiguration& config,
                             bool overridden) const {
  const Direction& direction = of(phase);
  switch (phase) {
    case Phase::request_headers:
      // A response that comes first is a local reply, or the request's headers are not sent.
      return !direction.begun && !of(Phase::response_headers).begun;
    case Phase::response_headers:
      return !direction.begun;
    case Phase::request_body:
    case Phase::response_body: {
      if (direction.body_over) return false;
      if (overridden) return true;
      const BodySendMode mode =
          phase == Phase::request_body ? config.request_body_mode : config.response_body_mode;
      const bool one_message =
          mode == BodySendMode::buffered || mode == BodySendMode::buffered_partial;
      return mode != BodySendMode::none && !(one_message && direction.body_seen);
    }
    case Phase::request_trailers:
    case Phase::response_trailers:
      return !direction.over;
  }
  return true;
}

}  // namespace extproc::exchange
