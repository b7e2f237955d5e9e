#include "stream/flow_control.h"

#include <utility>

namespace extproc::stream {

FlowControl::FlowControl(const wire::FlowControlInit& init)
    : directions_{{.send_window = init.sidestream_to_upstream,
                   .receive_window = init.downstream_to_sidestream},
                  {.send_window = init.sidestream_to_downstream,
                   .receive_window = init.upstream_to_sidestream}} {}

// A message goes whole once there is any window, as the GRPC mode has it: one that is larger than
// the whole window could never be sent otherwise.
bool FlowControl::fits(const Direction& direction, std::size_t body_bytes) {
  return body_bytes == 0 || direction.send_window > 0;
}

bool FlowControl::admit(Phase phase, std::size_t body_bytes) {
  Direction& direction = of(phase);
  if (!direction.held.empty() || !fits(direction, body_bytes)) return false;
  direction.send_window -= static_cast<std::int64_t>(body_bytes);
  return true;
}

std::string& FlowControl::hold(Phase phase, std::size_t body_bytes) {
  return of(phase).held.emplace_back(Held{{}, body_bytes}).message;
}

void FlowControl::update(const wire::ClientWindowUpdate& update, ReplySink& sink) {
  directions_[0].send_window += update.sidestream_to_upstream;
  directions_[1].send_window += update.sidestream_to_downstream;
  for (Direction& direction : directions_) {
    while (!direction.held.empty() && fits(direction, direction.held.front().body_bytes)) {
      const Held held = std::move(direction.held.front());
      direction.held.pop_front();
      direction.send_window -= static_cast<std::int64_t>(held.body_bytes);
      sink.begin_message().append(held.message);
      sink.end_message();
    }
  }
}

std::optional<FlowControl::Increments> FlowControl::consumed(Phase phase, std::size_t body_bytes) {
  Direction& direction = of(phase);
  direction.consumed += static_cast<std::int64_t>(body_bytes);
  if (direction.consumed == 0 || direction.consumed < direction.receive_window / 2) {
    return std::nullopt;
  }
  const std::int64_t increment = std::exchange(direction.consumed, 0);
  return is_request_phase(phase) ? Increments{.downstream_to_sidestream = increment}
                                 : Increments{.upstream_to_sidestream = increment};
}

}  // namespace extproc::stream
