#pragma once

#include <chrono>

namespace extproc {

/// What the filter is configured as, where Envoy does not tell its processor. The defaults are
/// Envoy's; where the filter has others, they are to be the same here.
struct FilterSettings {
  /// `message_timeout`: how long Envoy waits for each answer. Work for blocking threads is refused
  /// that waits too long to end in it, so that a value below the filter's refuses work that would
  /// be in time.
  std::chrono::milliseconds message_timeout{200};
  /// `max_message_timeout`: how much time Envoy can be asked for, once per message. With a value,
  /// it is asked for when a handler that waits has taken half of message_timeout. Zero: never.
  std::chrono::milliseconds max_message_timeout{0};
  /// `mutation_rules.allow_all_routing`: host, :authority, :scheme and :method may be changed.
  bool allow_all_routing = false;
  /// `mutation_rules.allow_envoy`: headers that begin with "x-envoy" may be changed.
  bool allow_envoy = false;
};

}  // namespace extproc
