#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "extproc/phase.h"
#include "extproc/processing_mode.h"

namespace extproc::envoy_config {

inline constexpr Phase kPhases[] = {Phase::request_headers,  Phase::request_body,
                                    Phase::request_trailers, Phase::response_headers,
                                    Phase::response_body,    Phase::response_trailers};

/// The body modes that a processor can be written for. Envoy's filter takes GRPC for NONE.
inline constexpr BodySendMode kBodyModes[] = {
    BodySendMode::none, BodySendMode::streamed, BodySendMode::buffered,
    BodySendMode::buffered_partial, BodySendMode::full_duplex_streamed};

/// One of kBodyModes by Envoy's name.
std::optional<BodySendMode> parse_body_mode(std::string_view name);

/// Whether Envoy keeps a body until it has ended, or fills a buffer.
constexpr bool is_held(BodySendMode mode) {
  return mode == BodySendMode::buffered || mode == BodySendMode::buffered_partial;
}
/// Whether a body goes to the processor as it comes.
constexpr bool is_streamed(BodySendMode mode) {
  return mode == BodySendMode::streamed || mode == BodySendMode::full_duplex_streamed;
}

/// Envoy's names of the modes, each at its number.
inline constexpr std::array<std::string_view, 3> kHeaderModeNames = {"DEFAULT", "SEND", "SKIP"};
inline constexpr std::array<std::string_view, 6> kBodyModeNames = {
    to_string(BodySendMode::none),
    to_string(BodySendMode::streamed),
    to_string(BodySendMode::buffered),
    to_string(BodySendMode::buffered_partial),
    to_string(BodySendMode::full_duplex_streamed),
    to_string(BodySendMode::grpc)};

constexpr std::string_view to_string(HeaderSendMode mode) {
  return kHeaderModeNames[static_cast<std::size_t>(mode)];
}

/// The field of ProcessingMode for a phase: "request_trailer_mode".
constexpr std::string_view mode_field(Phase phase) {
  constexpr std::string_view kFields[kPhaseCount] = {
      "request_header_mode",  "request_body_mode",  "request_trailer_mode",
      "response_header_mode", "response_body_mode", "response_trailer_mode"};
  return kFields[static_cast<std::size_t>(phase)];
}

/// `ProcessingMode`; what is left out is up to Envoy, and a body mode then NONE.
struct ProcessingMode {
  std::optional<HeaderSendMode> request_headers{};
  std::optional<HeaderSendMode> response_headers{};
  BodySendMode request_body = BodySendMode::none;
  BodySendMode response_body = BodySendMode::none;
  std::optional<HeaderSendMode> request_trailers{};
  std::optional<HeaderSendMode> response_trailers{};

  /// Whether Envoy sends a phase. Left to it, headers are sent and trailers are not.
  bool sends(Phase phase) const;
  BodySendMode body(Phase phase) const {
    return is_request_phase(phase) ? request_body : response_body;
  }
  bool holds_a_body() const { return is_held(request_body) || is_held(response_body); }
  bool streams_a_body() const { return is_streamed(request_body) || is_streamed(response_body); }
  bool has_full_duplex() const {
    return request_body == BodySendMode::full_duplex_streamed ||
           response_body == BodySendMode::full_duplex_streamed;
  }
  friend bool operator==(const ProcessingMode&, const ProcessingMode&) = default;
};

/// As a processor asks for it.
ModeOverride as_override(const ProcessingMode& mode);

/// "request_body_mode=BUFFERED,response_trailer_mode=SEND"; nothing where it is none.
std::optional<ModeOverride> parse_override(std::string_view text);
/// The same back.
std::string to_string(const ModeOverride& mode);

}  // namespace extproc::envoy_config
