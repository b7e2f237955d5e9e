#include <string>

#include "envoy/check/check_context.h"
#include "extproc/header_mutation.h"
#include "rules/header_rules.h"

namespace extproc::envoy_config {
namespace {

void check_failure_mode(const FilterUnderCheck& checked, bool is_dump, Findings& findings) {
  const Setting<bool>& allow = checked.filter.config.failure_mode_allow;
  if (!allow.is_stated()) {
    if (is_dump) return;
    findings.warning(checked.filter.config_key, "failure-mode-not-stated",
                     checked.name +
                         " does not say what becomes of requests when the processor "
                         "fails: they fail",
                     "state it: failure_mode_allow: false, or true to let them pass");
  } else if (allow && checked.mode.has_full_duplex()) {
    findings.error(
        allow.key, "failure-mode-with-full-duplex",
        "failure_mode_allow cannot be kept with FULL_DUPLEX_STREAMED: what Envoy has "
        "handed over is lost when the processor fails, also while headers wait for their "
        "body (wait_for_body)",
        "set failure_mode_allow: false, or choose another body mode");
  }
}

void check_chain_header(const FilterUnderCheck& checked, Findings& findings) {
  using rules::HeaderVerdict;
  const std::string& header = checked.needs.chain_header;
  if (header.empty() || !checked.mode.sends(Phase::response_headers)) return;
  const MutationRules& rules = checked.filter.config.mutation_rules;
  const std::string effect =
      rules.disallow_is_error ? ", and with disallow_is_error the response fails" : "";
  const auto verdict = rules.decide(HeaderMutation::Operation::set, header, false);
  if (!verdict || *verdict == HeaderVerdict::all_denied) {
    findings.error(verdict ? rules.disallow_all : rules.disallow_expression.key,
                   "chain-header-denied",
                   (verdict ? "disallow_all" : "disallow_expression") +
                       (" keeps " + header + " from being set" + effect),
                   "let it through with allow_expression, or serve with "
                   "REVEAL_EXTPROC_CHAIN=false");
  } else if (*verdict == HeaderVerdict::needs_envoy) {
    findings.error(checked.where, "chain-header-denied",
                   "x-envoy headers cannot be set, so " + header + " is missing" + effect,
                   "choose another EXTPROCS_APPLIED_HEADER, or set mutation_rules.allow_envoy");
  }
}

void check_mutation_rules(const FilterUnderCheck& checked, Findings& findings) {
  const MutationRules& rules = checked.filter.config.mutation_rules;
  if (!rules.by_name.disallow_all || rules.allow_expression.is_stated()) return;
  findings.warning(
      rules.disallow_all, "no-header-changes",
      checked.name + " lets no header be changed, whatever " + checked.needs.name + " answers",
      "remove disallow_all, or name what may be changed with allow_expression");
}

void check_observability(const FilterUnderCheck& checked, Findings& findings) {
  const Setting<bool>& observes = checked.filter.config.observability_mode;
  if (!observes) return;
  if (!checked.needs.stated.observability_mode) {
    findings.warning(observes.key, "answers-ignored",
                     "observability_mode: whatever " + checked.needs.name +
                         " answers is ignored, so its handlers change nothing",
                     "remove it, unless the processor only looks: then state it in needs()");
  }
  for (const Phase body : {Phase::request_body, Phase::response_body}) {
    if (!checked.mode.sends(body) || checked.mode.body(body) == BodySendMode::streamed) continue;
    findings.error(checked.where, "observability-body-mode",
                   "in observability_mode a body that is not STREAMED is not sent",
                   "set the body mode STREAMED");
  }
}

void check_service_kind(const FilterUnderCheck& checked, Findings& findings) {
  const FilterConfig& config = checked.filter.config;
  if (config.http_service) {
    findings.error(config.http_service, "http-service",
                   checked.name + " calls over plain HTTP, and the processor speaks gRPC",
                   "use grpc_service with envoy_grpc");
  } else if (!config.grpc_service->cluster_name.is_stated() && !config.grpc_service->google_grpc) {
    const Place place = config.grpc_service.key;
    findings.error(
        place ? place : checked.filter.config_key, "no-grpc-service",
        checked.name +
            (place ? " has a grpc_service that names no cluster" : " has no grpc_service") +
            ": Envoy refuses the configuration",
        "add grpc_service: { envoy_grpc: { cluster_name: ... } }");
  }
}

}  // namespace

void check_filter(const FilterUnderCheck& checked, bool is_dump, Findings& findings) {
  check_failure_mode(checked, is_dump, findings);
  check_chain_header(checked, findings);
  check_mutation_rules(checked, findings);
  check_observability(checked, findings);
  if (!checked.filter.in_process) check_service_kind(checked, findings);
  const Setting<bool>& disabled = checked.filter.config.disable_immediate_response;
  if (disabled) {
    findings.warning(disabled.key, "immediate-response-disabled",
                     "an immediate response of " + checked.needs.name +
                         " is ignored, and ends the processing of the request",
                     "remove disable_immediate_response, unless no handler responds at once");
  }
  if (checked.filter.after_router) {
    findings.error(checked.filter.name_key, "after-the-router",
                   checked.name + " stands behind the router: Envoy refuses the configuration",
                   "move it before envoy.filters.http.router, which must be the last");
  }
}

}  // namespace extproc::envoy_config
