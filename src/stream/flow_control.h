#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "extproc/phase.h"
#include "stream/reply_sink.h"
#include "wire/request_reader.h"

namespace extproc::stream {

/// The flow control of body bytes that a client may ask for (`flow_control_init`), in the modes
/// FULL_DUPLEX_STREAMED and GRPC: what may be sent, and what the client is allowed to.
class FlowControl {
 public:
  explicit FlowControl(const wire::FlowControlInit& init);

  /// More, or less, may be sent: sends what waited for it.
  void update(const wire::ClientWindowUpdate& update, ReplySink& sink);
  /// What all answers that wait take, in bytes.
  std::size_t held_bytes() const { return held_bytes_; }
  /// By how much that has changed since it was asked last.
  std::ptrdiff_t change() {
    const std::size_t before = std::exchange(told_bytes_, held_bytes_);
    return static_cast<std::ptrdiff_t>(held_bytes_) - static_cast<std::ptrdiff_t>(before);
  }
  /// Drops them.
  void clear();

  /// Whether answers of the direction wait.
  bool holds(Phase phase) const { return !of(phase).held.empty(); }
  /// Whether a message with `body_bytes` of the direction's body may be sent now; it is then
  /// counted. Otherwise it is to be written to hold(), and that told to held().
  bool admit(Phase phase, std::size_t body_bytes);
  std::string& hold(Phase phase, std::size_t body_bytes);
  void held();

  /// The processor is done with so much of what was received. Gives what the client is to be told,
  /// now and then; nothing while answers of the direction wait, so that a client that takes none
  /// sends no more.
  struct Increments {
    std::int64_t downstream_to_sidestream = 0;
    std::int64_t upstream_to_sidestream = 0;
  };
  std::optional<Increments> consumed(Phase phase, std::size_t body_bytes);

  /// Whether the message that is being written is to be held.
  bool holding() const { return holding_ != nullptr; }

 private:
  struct Held {
    std::string message;
    std::size_t body_bytes;

    std::size_t weight() const { return sizeof(Held) + message.capacity(); }
  };
  struct Direction {
    std::int64_t send_window = 0;
    std::int64_t receive_window = 0;
    std::int64_t consumed = 0;
    std::deque<Held> held{};
  };

  Direction& of(Phase phase) { return directions_[is_request_phase(phase) ? 0 : 1]; }
  const Direction& of(Phase phase) const { return directions_[is_request_phase(phase) ? 0 : 1]; }
  static bool fits(const Direction& direction, std::size_t body_bytes);
  static void widen(Direction& direction, std::int64_t increment);

  Direction directions_[2];
  const Held* holding_ = nullptr;
  std::size_t held_bytes_ = 0;
  std::size_t told_bytes_ = 0;
};

}  // namespace extproc::stream
