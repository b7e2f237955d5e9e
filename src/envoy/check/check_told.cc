// What a filter lets a processor do, beside what the processor does and its server is told.
#include <algorithm>
#include <string>
#include <vector>

#include "envoy/check/check_context.h"
#include "rules/framing_rules.h"

namespace extproc::envoy_config {
namespace {

void check_length_of(const FilterUnderCheck& checked, Phase headers, Phase body,
                     Findings& findings) {
  const Setting<bool>& kept = checked.filter.config.allow_content_length_header;
  const bool headers_sent = checked.mode.sends(headers);
  const BodySendMode mode = checked.mode.body(body);
  if (!checked.needs.handled.contains(body) || !rules::removes_content_length(mode, headers_sent))
    return;
  const std::string what = checked.name + " keeps content-length with " +
                           std::string(to_string(body)) + " as " + std::string(to_string(mode)) +
                           " (allow_content_length_header)";
  if (headers_sent) {
    findings.warning(
        kept.key, "content-length-kept",
        what + ", and " + checked.needs.name + " removes it all the same in its answer to " +
            std::string(to_string(headers)) + ", since its handler may change the body",
        "remove allow_content_length_header, or set " + std::string(mode_field(body)) + ": NONE");
    return;
  }
  findings.error(
      kept.key, "content-length-kept",
      what + ", which " + checked.needs.name + " may give another length, and sends no " +
          std::string(to_string(headers)) +
          " in whose answer it could be removed: what is over would begin the next "
          "message of its connection",
      "set " + std::string(mode_field(headers)) + ": SEND, or remove allow_content_length_header");
}

/// As Envoy compares them, without request_header_mode.
std::vector<std::string> comparable(const std::vector<ModeOverride>& modes) {
  std::vector<std::string> all;
  for (ModeOverride mode : modes) {
    mode.request_header_mode.reset();
    mode.request_body_mode = mode.request_body_mode.value_or(BodySendMode::none);
    mode.response_body_mode = mode.response_body_mode.value_or(BodySendMode::none);
    all.push_back(to_string(mode));
  }
  std::ranges::sort(all);
  return all;
}

}  // namespace

void check_content_length(const FilterUnderCheck& checked, Findings& findings) {
  const FilterConfig& config = checked.filter.config;
  // What only looks changes no body.
  if (!config.allow_content_length_header || config.observability_mode) return;
  check_length_of(checked, Phase::request_headers, Phase::request_body, findings);
  check_length_of(checked, Phase::response_headers, Phase::response_body, findings);
}

void check_allowed_modes(const FilterUnderCheck& checked, Findings& findings) {
  const FilterConfig& config = checked.filter.config;
  const FilterSettings& told = checked.needs.filter;
  if (!checked.needs.overrides_mode() || config.allowed_override_modes.empty()) return;
  const auto has = comparable(filter_settings(config).allowed_override_modes);
  if (comparable(told.allowed_override_modes) == has) return;
  std::string flags;
  for (const std::string& mode : has) flags += " --allowed-override-mode " + mode;
  const std::string what =
      checked.name + " allows overrides to some modes alone (allowed_override_modes), ";
  if (told.allowed_override_modes.empty()) {
    findings.warning(config.allow_mode_override.key, "override-modes-differ",
                     what + "of which the server of " + checked.needs.name +
                         " is not told: after one that Envoy drops it answers for the wrong mode",
                     "serve with" + flags);
  } else {
    findings.error(config.allow_mode_override.key, "override-modes-differ",
                   what + "and the server of " + checked.needs.name + " is told of others",
                   "serve with" + flags);
  }
}

}  // namespace extproc::envoy_config
