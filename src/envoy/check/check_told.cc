// What a filter lets a processor do, beside what the processor does and its server is told.
#include <algorithm>
#include <string>
#include <vector>

#include "envoy/check/check_context.h"
#include "rules/framing_rules.h"

namespace extproc::envoy_config {
namespace {

struct Direction {
  Phase headers;
  Phase body;
};
constexpr Direction kDirections[] = {{Phase::request_headers, Phase::request_body},
                                     {Phase::response_headers, Phase::response_body}};

/// Whether the filter, as it is set, takes content-length out unless it has
/// allow_content_length_header, though a handler may change the body.
bool keeps_of_handled(const FilterUnderCheck& checked, const Direction& direction) {
  return checked.needs.handled.contains(direction.body) &&
         rules::removes_content_length(checked.mode.body(direction.body),
                                       checked.mode.sends(direction.headers));
}

void check_kept_length(const FilterUnderCheck& checked, const Direction& direction,
                       Findings& findings) {
  const auto& [headers, body] = direction;
  if (!keeps_of_handled(checked, direction)) return;
  const Place where = checked.filter.config.allow_content_length_header.key;
  const std::string what =
      checked.name + " keeps content-length with " + std::string(to_string(body)) + " as " +
      std::string(to_string(checked.mode.body(body))) + " (allow_content_length_header)";
  if (checked.mode.sends(headers)) {
    findings.warning(
        where, "content-length-kept",
        what + ", and " + checked.needs.name + " removes it all the same in its answer to " +
            std::string(to_string(headers)) + ", since its handler may change the body",
        "remove allow_content_length_header, or set " + std::string(mode_field(body)) + ": NONE");
    return;
  }
  const bool told = checked.needs.filter.allow_content_length_header;
  findings.error(
      where, "content-length-kept",
      what + ", which " + checked.needs.name + " may give another length, and sends no " +
          std::string(to_string(headers)) + " in whose answer it could be removed: " +
          (told ? "then the stream fails"
                : "what is over would begin the next message of its connection"),
      "set " + std::string(mode_field(headers)) + ": SEND, or remove allow_content_length_header" +
          (told ? ""
                : "; until then serve with --allow-content-length-header, so that the stream "
                  "fails in place of that"));
}

/// Its server guards a content-length that the filter does not keep.
void check_told_length(const FilterUnderCheck& checked, Findings& findings) {
  const Setting<bool>& kept = checked.filter.config.allow_content_length_header;
  const Place where = kept.is_stated() ? kept.key : checked.where;
  const std::string what = "the server of " + checked.needs.name +
                           " is told (--allow-content-length-header) that " + checked.name +
                           " keeps content-length, which it does not";
  const std::string mend = "serve without the flag, or set allow_content_length_header: true";
  const auto fails = [&](const Direction& direction) {
    return keeps_of_handled(checked, direction) && !checked.mode.sends(direction.headers);
  };
  if (std::ranges::any_of(kDirections, fails)) {
    findings.error(where, "content-length-not-kept",
                   what + ": a body that a handler gives another length fails for nothing", mend);
  } else if (!checked.is_route) {
    findings.warning(where, "content-length-not-kept", what, mend);
  }
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
  if (config.observability_mode) return;
  if (config.allow_content_length_header) {
    for (const Direction& direction : kDirections) check_kept_length(checked, direction, findings);
  } else if (checked.needs.filter.allow_content_length_header) {
    check_told_length(checked, findings);
  }
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
