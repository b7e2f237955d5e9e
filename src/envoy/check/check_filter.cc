#include <regex>
#include <string>

#include "envoy/check/check_context.h"
#include "extproc/header_mutation.h"
#include "rules/header_rules.h"

namespace extproc::envoy_config {
namespace {

bool has_duplex(const YAML::Node& mode) {
  const ProcessingMode read = read_mode(mode);
  return read.request_body == BodyMode::full_duplex_streamed ||
         read.response_body == BodyMode::full_duplex_streamed;
}

void check_failure_mode(const FilterUnderCheck& checked, Findings& findings) {
  const Field allow = field(checked.filter.config, "failure_mode_allow");
  if (!allow) {
    findings.warning(field(checked.filter.entry, "typed_config").key, "failure-mode-not-stated",
                     checked.name +
                         " does not say what becomes of requests when the processor "
                         "fails: they fail",
                     "state it: failure_mode_allow: false, or true to let them pass");
  } else if (is_true(allow.value) && has_duplex(checked.mode)) {
    findings.error(allow.key, "failure-mode-with-full-duplex",
                   "failure_mode_allow cannot be kept with FULL_DUPLEX_STREAMED: what Envoy has "
                   "handed over is lost when the processor fails",
                   "set failure_mode_allow: false, or choose another body mode");
  }
}

/// Whether a header's name matches a RegexMatcher. Envoy's expressions are RE2's; what ECMAScript
/// reads otherwise is left to Envoy.
bool matches(const YAML::Node& matcher, const std::string& header) {
  const std::string expression = text(field(matcher, "regex").value);
  if (expression.empty()) return false;
  try {
    return std::regex_match(header, std::regex(expression));
  } catch (const std::regex_error&) {
    return false;
  }
}

/// The rule that keeps the chain header from being set; no field when none does.
Field denying_rule(const YAML::Node& rules, const std::string& header) {
  if (Field rule = field(rules, "disallow_expression"); matches(rule.value, header)) {
    return rule;
  }
  if (matches(field(rules, "allow_expression").value, header)) return {};
  Field all = field(rules, "disallow_all");
  return is_true(all.value) ? all : Field{};
}

void check_chain_header(const FilterUnderCheck& checked, Findings& findings) {
  const std::string& header = checked.needs.chain_header;
  if (header.empty() || !read_mode(checked.mode).response_headers) return;
  const Field mutation_rules = field(checked.filter.config, "mutation_rules");
  const bool fails = is_true(field(mutation_rules.value, "disallow_is_error").value);
  const std::string effect = fails ? ", and with disallow_is_error the response fails" : "";
  if (const Field rule = denying_rule(mutation_rules.value, header)) {
    findings.error(rule.key, "chain-header-denied",
                   text(rule.key) + " keeps " + header + " from being set" + effect,
                   "let it through with allow_expression, or serve with "
                   "REVEAL_EXTPROC_CHAIN=false");
  } else if (rules::header_verdict(
                 HeaderMutation::Operation::set, header, false,
                 {.allow_envoy = is_true(field(mutation_rules.value, "allow_envoy").value)}) ==
             rules::HeaderVerdict::needs_envoy) {
    findings.error(checked.where, "chain-header-denied",
                   "x-envoy headers cannot be set, so " + header + " is missing" + effect,
                   "choose another EXTPROCS_APPLIED_HEADER, or set mutation_rules.allow_envoy");
  }
}

void check_mutation_rules(const FilterUnderCheck& checked, Findings& findings) {
  const Field rules = field(checked.filter.config, "mutation_rules");
  const Field all = field(rules.value, "disallow_all");
  if (!is_true(all.value) || field(rules.value, "allow_expression")) return;
  findings.warning(
      all.key, "no-header-changes",
      checked.name + " lets no header be changed, whatever " + checked.needs.name + " answers",
      "remove disallow_all, or name what may be changed with allow_expression");
}

void check_observability(const FilterUnderCheck& checked, Findings& findings) {
  const Field observes = field(checked.filter.config, "observability_mode");
  if (!is_true(observes.value)) return;
  findings.warning(observes.key, "answers-ignored",
                   "observability_mode: whatever " + checked.needs.name +
                       " answers is ignored, so its handlers change nothing",
                   "remove it, unless the processor only looks");
  const ProcessingMode mode = read_mode(checked.mode);
  for (const BodyMode body : {mode.request_body, mode.response_body}) {
    if (body == BodyMode::none || body == BodyMode::streamed) continue;
    findings.error(checked.where, "observability-body-mode",
                   "in observability_mode a body that is not STREAMED is not sent",
                   "set the body mode STREAMED");
  }
}

void check_service_kind(const FilterUnderCheck& checked, Findings& findings) {
  const YAML::Node config = checked.filter.config;
  if (const Field http = field(config, "http_service")) {
    findings.error(http.key, "http-service",
                   checked.name + " calls over plain HTTP, and the processor speaks gRPC",
                   "use grpc_service with envoy_grpc");
  } else if (!field(config, "grpc_service")) {
    findings.error(field(checked.filter.entry, "typed_config").key, "no-grpc-service",
                   checked.name + " has no grpc_service: Envoy refuses the configuration",
                   "add grpc_service: { envoy_grpc: { cluster_name: ... } }");
  }
}

}  // namespace

void check_filter(const FilterUnderCheck& checked, Findings& findings) {
  check_failure_mode(checked, findings);
  check_chain_header(checked, findings);
  check_mutation_rules(checked, findings);
  check_observability(checked, findings);
  check_service_kind(checked, findings);
  if (const Field disabled = field(checked.filter.config, "disable_immediate_response");
      is_true(disabled.value)) {
    findings.warning(disabled.key, "immediate-response-disabled",
                     "an immediate response of " + checked.needs.name +
                         " is ignored, and ends the processing of the request",
                     "remove disable_immediate_response, unless no handler responds at once");
  }
  if (checked.filter.after_router) {
    findings.error(field(checked.filter.entry, "name").key, "after-the-router",
                   checked.name + " stands behind the router: Envoy refuses the configuration",
                   "move it before envoy.filters.http.router, which must be the last");
  }
}

}  // namespace extproc::envoy_config
