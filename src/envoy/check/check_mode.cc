#include <string>

#include "envoy/check/check_context.h"

namespace extproc::envoy_config {
namespace {

std::string_view direction(Phase phase) { return is_request_phase(phase) ? "request" : "response"; }

std::string field_name(Phase phase) {
  const std::string part = is_body(phase) ? "body" : is_trailers(phase) ? "trailer" : "header";
  return std::string(direction(phase)) + "_" + part + "_mode";
}

BodyMode body_mode(const ProcessingMode& mode, Phase phase) {
  return is_request_phase(phase) ? mode.request_body : mode.response_body;
}

const std::optional<BodyMode>& expected_mode(const Needs& needs, Phase phase) {
  return is_request_phase(phase) ? needs.request_body_mode : needs.response_body_mode;
}

/// Where the mode of a phase is stated, else where it would be.
YAML::Node stated(const FilterUnderCheck& checked, Phase phase) {
  const Field mode = field(checked.mode, field_name(phase));
  return mode ? mode.key : checked.where;
}

std::string setting(Phase phase, std::string_view value) {
  return "set " + field_name(phase) + ": " + std::string(value);
}

BodyMode read_body_mode(const YAML::Node& node) {
  const std::string value = text(node);
  if (const auto mode = parse_body_mode(value)) return *mode;
  for (std::size_t number = 0; number < std::size(kBodyModes); ++number) {
    if (value == std::to_string(number)) return kBodyModes[number];
  }
  // GRPC too: Envoy's filter sends nothing then.
  return BodyMode::none;
}

bool read_header_mode(const YAML::Node& node, bool otherwise) {
  const std::string value = text(node);
  if (value == "SEND" || value == "1") return true;
  if (value == "SKIP" || value == "2") return false;
  return otherwise;
}

void check_not_sent(const FilterUnderCheck& checked, Phase phase, Findings& findings) {
  const std::string name(to_string(phase));
  const Needs& needs = checked.needs;
  if (is_body(phase) && needs.mode_override) return;
  std::string value = "SEND";
  if (is_body(phase)) value = to_string(expected_mode(needs, phase).value_or(BodyMode::buffered));
  const bool grpc = text(field(checked.mode, field_name(phase)).value) == "GRPC";
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
  if (phase == Phase::request_headers && needed_mode(needs).request_headers) {
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
  const bool duplex = body_mode(mode, phase) == BodyMode::full_duplex_streamed;
  if (handled && !mode.sends(phase)) return check_not_sent(checked, phase, findings);
  if (handled) return;
  if (!mode.sends(phase)) return check_missing_headers(checked, phase, findings);
  // What the mode of the body brings along.
  if (duplex && !is_body(phase)) return;
  if (!needed_mode(checked.needs).sends(phase)) check_not_handled(checked, phase, findings);
}

std::string body_mode_effect(BodyMode mode) {
  switch (mode) {
    case BodyMode::none:
    case BodyMode::buffered:
      break;
    case BodyMode::streamed:
      return "its handler is called for each chunk, and cannot change headers any more";
    case BodyMode::buffered_partial:
      return "its handler gets only as much as fits Envoy's buffer, and the rest passes by";
    case BodyMode::full_duplex_streamed:
      return "its handler is called for each chunk, and Envoy waits for no answer in time";
  }
  return "its handler gets the whole body at once, and one over Envoy's buffer limit is refused";
}

void check_body_mode(const FilterUnderCheck& checked, const ProcessingMode& mode, Phase phase,
                     Findings& findings) {
  const BodyMode is = body_mode(mode, phase);
  if (is == BodyMode::none || !checked.needs.handled.contains(phase)) return;
  const auto& expected = expected_mode(checked.needs, phase);
  if (is == expected.value_or(BodyMode::buffered)) return;
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

void check_duplex(const FilterUnderCheck& checked, const ProcessingMode& mode, Phase body,
                  Phase trailers, Findings& findings) {
  if (body_mode(mode, body) != BodyMode::full_duplex_streamed || mode.sends(trailers)) return;
  findings.error(stated(checked, body), "full-duplex-without-trailers",
                 checked.name + " sends " + std::string(to_string(body)) +
                     " as FULL_DUPLEX_STREAMED without " + std::string(to_string(trailers)) +
                     ": Envoy refuses the configuration",
                 setting(trailers, "SEND"));
}

bool has_duplex(const ProcessingMode& mode) {
  return mode.request_body == BodyMode::full_duplex_streamed ||
         mode.response_body == BodyMode::full_duplex_streamed;
}

}  // namespace

ProcessingMode read_mode(const YAML::Node& mode) {
  const auto value = [&](Phase phase) { return field(mode, field_name(phase)).value; };
  return {.request_headers = read_header_mode(value(Phase::request_headers), true),
          .response_headers = read_header_mode(value(Phase::response_headers), true),
          .request_body = read_body_mode(value(Phase::request_body)),
          .response_body = read_body_mode(value(Phase::response_body)),
          .request_trailers = read_header_mode(value(Phase::request_trailers), false),
          .response_trailers = read_header_mode(value(Phase::response_trailers), false)};
}

void check_mode(const FilterUnderCheck& checked, Findings& findings) {
  const ProcessingMode mode = read_mode(checked.mode);
  for (const Phase phase : kPhases) check_phase(checked, mode, phase, findings);
  check_body_mode(checked, mode, Phase::request_body, findings);
  check_body_mode(checked, mode, Phase::response_body, findings);
  check_duplex(checked, mode, Phase::request_body, Phase::request_trailers, findings);
  check_duplex(checked, mode, Phase::response_body, Phase::response_trailers, findings);
}

void check_mode_override(const FilterUnderCheck& checked, Findings& findings) {
  const YAML::Node config = checked.filter.config;
  const Field allowed = field(config, "allow_mode_override");
  const Field unwaited = field(config, "send_body_without_waiting_for_header_response");
  const bool is_allowed = is_true(allowed.value);
  if (checked.needs.mode_override && !is_allowed) {
    findings.error(allowed ? allowed.key : checked.where, "mode-override-not-allowed",
                   checked.needs.name +
                       " answers with mode_override, which Envoy drops without a "
                       "word",
                   "set allow_mode_override: true");
  }
  if (!is_allowed) return;
  const std::string ignored = "Envoy ignores mode_override, which " + checked.name + " allows, ";
  if (is_true(unwaited.value)) {
    findings.error(unwaited.key, "mode-override-ignored",
                   ignored + "with send_body_without_waiting_for_header_response",
                   "remove one of the two");
  }
  if (has_duplex(read_mode(checked.mode))) {
    findings.error(allowed.key, "mode-override-ignored", ignored + "with FULL_DUPLEX_STREAMED",
                   "remove allow_mode_override, or choose another body mode");
  }
}

}  // namespace extproc::envoy_config
