#pragma once

#include <cstdint>
#include <optional>

#include "extproc/filter_settings.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"

namespace extproc::rules {

/// The phase of the body that stands behind the headers of `phase`.
constexpr Phase body_of(Phase phase) {
  return is_request_phase(phase) ? Phase::request_body : Phase::response_body;
}

/// And the headers in front of that body.
constexpr Phase headers_of(Phase phase) {
  return is_request_phase(phase) ? Phase::request_headers : Phase::response_headers;
}

/// Whether header changes count in the answer to a body that comes in `mode`. In STREAMED mode
/// those of a request's first chunk count when it came with the headers, and not when it came
/// behind them.
constexpr bool takes_headers_with_body(std::optional<BodySendMode> mode) {
  return !mode || *mode == BodySendMode::none || *mode == BodySendMode::buffered ||
         *mode == BodySendMode::buffered_partial;
}

/// Whether a body that comes in `mode` comes before its headers are answered. `without_waiting`:
/// send_body_without_waiting_for_header_response.
constexpr bool comes_before_answer(BodySendMode mode, bool without_waiting) {
  return mode == BodySendMode::full_duplex_streamed ||
         (mode == BodySendMode::streamed && without_waiting);
}

/// Whether clear_route_cache counts in an answer; the header changes are those of the same answer.
constexpr bool clears_route_cache(Phase phase, bool changes_headers) {
  return is_request_phase(phase) && changes_headers;
}

/// Whether Envoy ignores every override, since the filter is set up so.
constexpr bool ignores_mode_overrides(const ProtocolConfiguration& config) {
  return config.send_body_without_waiting_for_header_response ||
         is_full_duplex(config.request_body_mode) || is_full_duplex(config.response_body_mode);
}

/// What becomes of an override.
enum class OverrideVerdict : std::uint8_t {
  counts,
  ignored,
  /// It is not known to count, and answers would have to be others if it did.
  full_duplex_unsure,
};

/// Of one that has a body mode for each direction, where `config` has them. `config`: what the
/// client said of the filter, if anything.
OverrideVerdict override_verdict(const std::optional<ProtocolConfiguration>& config,
                                 const ModeOverride& mode, const FilterSettings& filter);

}  // namespace extproc::rules
