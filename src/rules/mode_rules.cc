#include "rules/mode_rules.h"

namespace extproc::rules {

bool mode_override_counts(const std::optional<ProtocolConfiguration>& config,
                          const ModeOverride& mode) {
  const auto full_duplex = [](const std::optional<BodySendMode>& asked) {
    return asked && is_full_duplex(*asked);
  };
  const bool ignored = config && ignores_mode_overrides(*config);
  const bool incomplete = !config && (!mode.request_body_mode || !mode.response_body_mode);
  // Whether it is heeded is not told, and only then would streamed_response be legal.
  const bool unsure = full_duplex(mode.request_body_mode) || full_duplex(mode.response_body_mode);
  return !ignored && !incomplete && !unsure;
}

}  // namespace extproc::rules
