#pragma once

#include <chrono>
#include <vector>

#include "extproc/processing_mode.h"

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
  /// `allow_content_length_header`: content-length stays in the headers of a message whose body is
  /// sent as STREAMED, BUFFERED_PARTIAL or FULL_DUPLEX_STREAMED. Where the body has a handler the
  /// answer to the headers removes it whatever is said here, since it may not fit any more. Where
  /// those headers are not sent to the processor, and the filter keeps it, nothing can remove it:
  /// with `true` a stream then ends with INTERNAL before the body goes on with another length.
  bool allow_content_length_header = false;
  /// `allow_mode_override`: HeadersResponse::override_mode counts. Overrides to
  /// FULL_DUPLEX_STREAMED, which need other answers from then on, are sent with `true` alone; for
  /// the others it is taken for granted.
  bool allow_mode_override = false;
  /// `allowed_override_modes`: an override is sent where it is one of these, as far as it says
  /// itself what is compared. A body mode that is left unset is NONE. None: any.
  std::vector<ModeOverride> allowed_override_modes{};
};

}  // namespace extproc
