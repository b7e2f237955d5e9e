#include "rules/mode_rules.h"

#include <algorithm>

namespace extproc::rules {
namespace {

bool same_body(const std::optional<BodySendMode>& a, const std::optional<BodySendMode>& b) {
  return a.value_or(BodySendMode::none) == b.value_or(BodySendMode::none);
}

// What the override leaves to the filter is not known.
bool same_headers(const std::optional<HeaderSendMode>& asked,
                  const std::optional<HeaderSendMode>& allowed) {
  return !asked || asked == allowed;
}

// Envoy does not compare request_header_mode.
bool matches(const ModeOverride& asked, const ModeOverride& allowed) {
  return same_body(asked.request_body_mode, allowed.request_body_mode) &&
         same_body(asked.response_body_mode, allowed.response_body_mode) &&
         same_headers(asked.response_header_mode, allowed.response_header_mode) &&
         same_headers(asked.request_trailer_mode, allowed.request_trailer_mode) &&
         same_headers(asked.response_trailer_mode, allowed.response_trailer_mode);
}

}  // namespace

OverrideVerdict override_verdict(const std::optional<ProtocolConfiguration>& config,
                                 const ModeOverride& mode, const FilterSettings& filter) {
  const auto full_duplex = [](const std::optional<BodySendMode>& asked) {
    return asked && is_full_duplex(*asked);
  };
  const auto grpc = [](const std::optional<BodySendMode>& asked) {
    return asked == BodySendMode::grpc;
  };
  const auto& allowed = filter.allowed_override_modes;
  // Envoy takes GRPC for NONE.
  const bool ignored = (config && ignores_mode_overrides(*config)) ||
                       grpc(mode.request_body_mode) || grpc(mode.response_body_mode);
  const bool incomplete = !config && (!mode.request_body_mode || !mode.response_body_mode);
  const bool refused =
      !allowed.empty() &&
      std::ranges::none_of(allowed, [&](const ModeOverride& one) { return matches(mode, one); });
  if (ignored || incomplete || refused) return OverrideVerdict::ignored;
  const bool duplex = full_duplex(mode.request_body_mode) || full_duplex(mode.response_body_mode);
  return duplex && !filter.allow_mode_override ? OverrideVerdict::full_duplex_unsure
                                               : OverrideVerdict::counts;
}

}  // namespace extproc::rules
