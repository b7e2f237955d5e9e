#include <string>

#include "envoy/check/check_context.h"

namespace extproc::envoy_config {
namespace {

std::string_view direction(Phase phase) { return is_request_phase(phase) ? "request" : "response"; }

const std::optional<BodySendMode>& expected_mode(const Needs& needs, Phase phase) {
  return is_request_phase(phase) ? needs.request_body_mode : needs.response_body_mode;
}

/// Where the mode of a phase is stated, else where it would be.
Place stated(const FilterUnderCheck& checked, Phase phase) {
  const Place place = checked.mode.place_of(phase);
  return place ? place : checked.where;
}

std::string setting(Phase phase, std::string_view value) {
  return "set " + std::string(mode_field(phase)) + ": " + std::string(value);
}

void check_not_sent(const FilterUnderCheck& checked, Phase phase, Findings& findings) {
  const std::string name(to_string(phase));
  const Needs& needs = checked.needs;
  if (is_body(phase) && needs.mode_override) return;
  std::string value = "SEND";
  if (is_body(phase))
    value = to_string(expected_mode(needs, phase).value_or(BodySendMode::buffered));
  const bool grpc = is_body(phase) && checked.mode.body(phase) == BodySendMode::grpc;
  findings.error(stated(checked, phase), "phase-not-sent",
                 needs.name + " handles " + name + ", which " + checked.name +
                     (grpc ? " does not send: Envoy takes GRPC for NONE"
                           : " does not send, so its handler is never called"),
                 setting(phase, value));
}

void check_not_handled(const FilterUnderCheck& checked, Phase phase, Findings& findings) {
  findings.warning(stated(checked, phase), "phase-not-handled",
                   checked.name + " sends " + std::string(to_string(phase)) + ", which " +
                       checked.needs.name + " does not handle: a round trip for nothing" +
                       (is_body(phase) ? ", and the body is held up" : ""),
                   setting(phase, is_body(phase) ? "NONE" : "SKIP"));
}

void check_missing_headers(const FilterUnderCheck& checked, Phase phase, Findings& findings) {
  const Needs& needs = checked.needs;
  if (phase == Phase::response_headers && !needs.chain_header.empty()) {
    findings.warning(stated(checked, phase), "chain-header-not-sent",
                     needs.chain_header +
                         " is missing in responses: it is added in "
                         "response_headers, which " +
                         checked.name + " does not send",
                     setting(phase, "SEND") + ", or serve with REVEAL_EXTPROC_CHAIN=false");
  }
  if (phase == Phase::request_headers && needed_mode(needs).sends(phase)) {
    findings.warning(
        stated(checked, phase), "request-data-missing",
        "method, path and id of the request are unknown to the handlers of " + needs.name +
            ": they come with its headers, which " + checked.name + " does not send",
        setting(phase, "SEND") + ", or say --skip-request-headers when no handler asks for them");
  }
}

void check_phase(const FilterUnderCheck& checked, const ProcessingMode& mode, Phase phase,
                 Findings& findings) {
  const bool handled = checked.needs.handled.contains(phase);
  const bool duplex = mode.body(phase) == BodySendMode::full_duplex_streamed;
  if (handled && !mode.sends(phase)) return check_not_sent(checked, phase, findings);
  if (handled) return;
  if (!mode.sends(phase)) return check_missing_headers(checked, phase, findings);
  // What the mode of the body brings along.
  if (duplex && !is_body(phase)) return;
  if (!needed_mode(checked.needs).sends(phase)) check_not_handled(checked, phase, findings);
}

std::string body_mode_effect(BodySendMode mode) {
  switch (mode) {
    case BodySendMode::none:
    case BodySendMode::grpc:
    case BodySendMode::buffered:
      break;
    case BodySendMode::streamed:
      return "its handler is called for each chunk, and cannot change headers any more";
    case BodySendMode::buffered_partial:
      return "its handler gets only as much as fits Envoy's buffer, and the rest passes by";
    case BodySendMode::full_duplex_streamed:
      return "its handler is called for each chunk, and Envoy waits for no answer in time";
  }
  return "its handler gets the whole body at once, and one over Envoy's buffer limit is refused";
}

void check_body_mode(const FilterUnderCheck& checked, const ProcessingMode& mode, Phase phase,
                     Findings& findings) {
  const BodySendMode is = mode.body(phase);
  if (!mode.sends(phase) || !checked.needs.handled.contains(phase)) return;
  const auto& expected = expected_mode(checked.needs, phase);
  if (is == expected.value_or(BodySendMode::buffered)) return;
  const std::string what = checked.name + " sends " + std::string(to_string(phase)) + " as " +
                           std::string(to_string(is)) + ": " + body_mode_effect(is);
  if (expected) {
    findings.error(
        stated(checked, phase), "body-mode",
        what + "; " + checked.needs.name + " expects " + std::string(to_string(*expected)),
        setting(phase, to_string(*expected)));
  } else {
    findings.warning(stated(checked, phase), "body-mode", what,
                     setting(phase, "BUFFERED") + ", or say --" + std::string(direction(phase)) +
                         "-body-mode " + std::string(to_string(is)) +
                         " when the handler is made "
                         "for that");
  }
}

}  // namespace

void check_mode(const FilterUnderCheck& checked, Findings& findings) {
  const StatedMode& mode = checked.mode;
  for (const Phase phase : kPhases) check_phase(checked, mode, phase, findings);
  check_body_mode(checked, mode, Phase::request_body, findings);
  check_body_mode(checked, mode, Phase::response_body, findings);
  findings.add(full_duplex_problems(
      mode, checked.name,
      checked.is_route ? "the processor is not told that a body with trailers has ended"
                       : kIsRefused,
      checked.where));
}

void check_mode_override(const FilterUnderCheck& checked, Findings& findings) {
  const FilterConfig& config = checked.filter.config;
  const Setting<bool>& allowed = config.allow_mode_override;
  const Setting<bool>& unwaited = config.send_body_without_waiting;
  check_told_overrides(checked, findings);
  if (checked.needs.mode_override && !allowed) {
    findings.error(allowed.is_stated() ? allowed.key : checked.where, "mode-override-not-allowed",
                   checked.needs.name +
                       " answers with mode_override, which Envoy drops without a "
                       "word",
                   "set allow_mode_override: true");
  }
  if (!allowed) return;
  const std::string ignored = "Envoy ignores mode_override, which " + checked.name + " allows, ";
  if (unwaited) {
    findings.error(unwaited.key, "mode-override-ignored",
                   ignored + "with send_body_without_waiting_for_header_response",
                   "remove one of the two");
  }
  if (checked.mode.has_full_duplex()) {
    findings.error(allowed.key, "mode-override-ignored", ignored + "with FULL_DUPLEX_STREAMED",
                   "remove allow_mode_override, or choose another body mode");
  }
}

}  // namespace extproc::envoy_config
