#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "extproc/filter_settings.h"

namespace extproc::exchange {

/// When a handler that waits must be helped: more time asked of Envoy, or its fallback sent.
/// Envoy's message_timeout runs from when it sent the message; a part of it is left for the way.
class ReplyDeadline {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Action : std::uint8_t { none, extend, fall_back };

  /// Envoy's message came at `start`. `timed`: Envoy runs a timer for it. `fall_back_at`: when the
  /// handler itself gives up, if it does.
  void begin(Clock::time_point start, const FilterSettings& filter, bool timed,
             std::optional<Clock::time_point> fall_back_at);
  /// Nothing is due any more.
  void clear();
  /// When due() is to be asked next; nothing: never.
  std::optional<Clock::time_point> next() const;
  /// What is to be done now, once each.
  Action due(Clock::time_point now);

 private:
  std::optional<Clock::time_point> extend_at_;
  std::optional<Clock::time_point> fall_back_at_;
};

}  // namespace extproc::exchange
