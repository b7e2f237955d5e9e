#include "stream/flow_control.h"

#include <limits>
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
  Held& held = of(phase).held.emplace_back(Held{{}, body_bytes});
  holding_ = &held;
  return held.message;
}

void FlowControl::held() { held_bytes_ += std::exchange(holding_, nullptr)->weight(); }

void FlowControl::clear() {
  for (Direction& direction : directions_) direction.held.clear();
  held_bytes_ = 0;
}

// The numbers are the peer's own: they stop at the ends of their type.
void FlowControl::widen(Direction& direction, std::int64_t increment) {
  using Limits = std::numeric_limits<std::int64_t>;
  if (__builtin_add_overflow(direction.send_window, increment, &direction.send_window)) {
    direction.send_window = increment > 0 ? Limits::max() : Limits::min();
  }
}

void FlowControl::update(const wire::ClientWindowUpdate& update, ReplySink& sink) {
  widen(directions_[0], update.sidestream_to_upstream);
  widen(directions_[1], update.sidestream_to_downstream);
  for (Direction& direction : directions_) {
    while (!direction.held.empty() && fits(direction, direction.held.front().body_bytes)) {
      const Held held = std::move(direction.held.front());
      direction.held.pop_front();
      direction.send_window -= static_cast<std::int64_t>(held.body_bytes);
      held_bytes_ -= held.weight();
      sink.begin_message().append(held.message);
      sink.end_message();
    }
  }
}

std::optional<FlowControl::Increments> FlowControl::consumed(Phase phase, std::size_t body_bytes) {
  Direction& direction = of(phase);
  direction.consumed += static_cast<std::int64_t>(body_bytes);
  if (direction.consumed == 0 || !direction.held.empty() ||
      direction.consumed < direction.receive_window / 2) {
    return std::nullopt;
  }
  const std::int64_t increment = std::exchange(direction.consumed, 0);
  return is_request_phase(phase) ? Increments{.downstream_to_sidestream = increment}
                                 : Increments{.upstream_to_sidestream = increment};
}

}  // namespace extproc::stream
