#include <string>

#include "envoy/check/check_context.h"
#include "rules/mode_rules.h"

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

/// A body's mode, with the trailers that it wants.
std::string body_setting(Phase body, BodySendMode mode) {
  const bool request = is_request_phase(body);
  std::string text = setting(body, to_string(mode));
  if (mode == BodySendMode::full_duplex_streamed) {
    const Phase trailers = request ? Phase::request_trailers : Phase::response_trailers;
    text += " and " + std::string(mode_field(trailers)) + ": SEND";
  }
  return text;
}

/// What the processor needs where bodies come as they do here.
ProcessingMode needed_here(const FilterUnderCheck& checked) {
  Needs needs = checked.needs;
  for (const auto& [body, chosen] : {std::pair{Phase::request_body, &needs.request_body_mode},
                                     {Phase::response_body, &needs.response_body_mode}}) {
    if (!*chosen && needs.whole.contains(body) && checked.mode.sends(body))
      *chosen = checked.mode.body(body);
  }
  return needed_mode(needs);
}

void check_not_sent(const FilterUnderCheck& checked, Phase phase, Findings& findings) {
  const std::string name(to_string(phase));
  const Needs& needs = checked.needs;
  if (is_body(phase) && (needs.overrides_mode() || checked.is_endless)) return;
  const bool grpc = is_body(phase) && checked.mode.body(phase) == BodySendMode::grpc;
  findings.error(
      stated(checked, phase), "phase-not-sent",
      needs.name + " handles " + name + ", which " + checked.name +
          (grpc ? " does not send: Envoy takes GRPC for NONE"
                : " does not send, so its handler is never called"),
      is_body(phase)
          ? body_setting(phase, expected_mode(needs, phase).value_or(open_body_mode(needs, phase)))
          : setting(phase, "SEND"));
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
  if (phase == Phase::request_headers && needed_here(checked).sends(phase)) {
    findings.warning(
        stated(checked, phase), "request-data-missing",
        "method, path and id of the request are unknown to the handlers of " + needs.name +
            ": they come with its headers, which " + checked.name + " does not send",
        setting(phase, "SEND") + ", or say --skip-request-headers when no handler asks for them");
  }
}

/// What the mode of its direction's body brings along, or tells the end of one that is streamed.
bool comes_with_body(const FilterUnderCheck& checked, const ProcessingMode& mode, Phase phase) {
  if (is_body(phase)) return false;
  if (mode.body(phase) == BodySendMode::full_duplex_streamed) return true;
  return is_trailers(phase) && is_streamed(mode.body(phase)) &&
         checked.needs.whole.contains(rules::body_of(phase));
}

void check_phase(const FilterUnderCheck& checked, const ProcessingMode& mode, Phase phase,
                 Findings& findings) {
  const bool handled = checked.needs.handled.contains(phase);
  if (handled && !mode.sends(phase)) return check_not_sent(checked, phase, findings);
  if (handled) return;
  if (!mode.sends(phase)) return check_missing_headers(checked, phase, findings);
  if (comes_with_body(checked, mode, phase)) return;
  if (!needed_here(checked).sends(phase)) check_not_handled(checked, phase, findings);
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

/// A handler over the whole body is right in every mode; what one that holds it costs is told.
void check_whole_body(const FilterUnderCheck& checked, Phase phase, BodySendMode is,
                      Findings& findings) {
  if (!is_held(is)) return;
  const bool partial = is == BodySendMode::buffered_partial;
  // Perhaps that is for some requests only.
  if (checked.filter.config.allow_mode_override) return;
  findings.warning(stated(checked, phase), "body-held",
                   checked.name + " sends " + std::string(to_string(phase)) + " as " +
                       std::string(to_string(is)) + ", though the handler of " +
                       checked.needs.name + " streams: nothing of it leaves before " +
                       (partial ? "Envoy's buffer is full, and the rest passes by"
                                : "its end, and one over Envoy's buffer limit is refused"),
                   body_setting(phase, BodySendMode::full_duplex_streamed) + ", or say --" +
                       std::string(direction(phase)) + "-body-mode " + std::string(to_string(is)) +
                       " when that is meant");
}

void check_body_mode(const FilterUnderCheck& checked, const ProcessingMode& mode, Phase phase,
                     Findings& findings) {
  const BodySendMode is = mode.body(phase);
  if (!mode.sends(phase) || !checked.needs.handled.contains(phase)) return;
  const auto& expected = expected_mode(checked.needs, phase);
  // STREAMED is right there, and any other an error of its own.
  if (!expected && checked.filter.config.observability_mode) return;
  if (!expected && checked.needs.whole.contains(phase))
    return check_whole_body(checked, phase, is, findings);
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
  if (checked.needs.overrides_mode() && !allowed) {
    findings.error(allowed.is_stated() ? allowed.key : checked.where, "mode-override-not-allowed",
                   checked.needs.name +
                       " may answer with mode_override (--allow-mode-override, needs()), which "
                       "Envoy drops without a word",
                   "set allow_mode_override: true, or serve without the flag");
  }
  if (!allowed) return;
  check_allowed_modes(checked, findings);
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
