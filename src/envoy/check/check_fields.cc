#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "envoy/check/check_context.h"

namespace extproc::envoy_config {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kFilterFields[] = {"allow_content_length_header",
                                              "allow_mode_override",
                                              "allowed_override_modes",
                                              "deferred_close_timeout",
                                              "disable_clear_route_cache",
                                              "disable_immediate_response",
                                              "emit_client_span",
                                              "failure_mode_allow",
                                              "filter_metadata",
                                              "forward_rules",
                                              "grpc_service",
                                              "http_service",
                                              "max_message_timeout",
                                              "message_timeout",
                                              "metadata_options",
                                              "mutation_rules",
                                              "observability_mode",
                                              "on_processing_response",
                                              "processing_mode",
                                              "processing_request_modifier",
                                              "request_attributes",
                                              "response_attributes",
                                              "route_cache_action",
                                              "send_body_without_waiting_for_header_response",
                                              "stat_prefix",
                                              "status_on_error"};
constexpr std::string_view kModeFields[] = {"request_body_mode",    "request_header_mode",
                                            "request_trailer_mode", "response_body_mode",
                                            "response_header_mode", "response_trailer_mode"};
constexpr std::string_view kServiceFields[] = {"envoy_grpc", "google_grpc", "initial_metadata",
                                               "retry_policy", "timeout"};
constexpr std::string_view kEnvoyGrpcFields[] = {"authority", "cluster_name",
                                                 "max_receive_message_length", "retry_policy",
                                                 "skip_envoy_headers"};
constexpr std::string_view kRuleFields[] = {
    "allow_all_routing",   "allow_envoy",       "allow_expression", "disallow_all",
    "disallow_expression", "disallow_is_error", "disallow_system"};
constexpr std::string_view kPerRouteFields[] = {"disabled", "overrides"};
constexpr std::string_view kOverrideFields[] = {
    "async_mode",         "emit_client_span",   "failure_mode_allow", "grpc_initial_metadata",
    "grpc_service",       "metadata_options",   "processing_mode",    "processing_request_modifier",
    "request_attributes", "response_attributes"};
constexpr std::string_view kHeaderModes[] = {"DEFAULT", "SEND", "SKIP"};
constexpr std::string_view kBodyModeNames[] = {
    "NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED", "GRPC"};

/// How many letters have to be put in, taken out or exchanged.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t exchanged = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, exchanged});
    }
  }
  return row[b.size()];
}

std::string_view nearest(std::string_view name, Names names) {
  return *std::ranges::min_element(names, {},
                                   [&](std::string_view other) { return distance(name, other); });
}

bool contains(Names names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

void check_names(const YAML::Node& message, Names names, std::string_view type,
                 Findings& findings) {
  if (!message.IsDefined() || !message.IsMap()) return;
  for (const auto& entry : message) {
    const std::string name = text(entry.first);
    const std::string snake = snake_case(name);
    if (name == "@type" || contains(names, name) || contains(names, snake)) continue;
    findings.error(
        entry.first, "unknown-field",
        std::string(type) + " has no field " + name + ": Envoy refuses the configuration",
        "the nearest is " + std::string(nearest(snake, names)));
  }
}

void check_values(const YAML::Node& mode, std::string_view suffix, Names values,
                  Findings& findings) {
  for (const std::string_view direction : {"request", "response"}) {
    const Field set = field(mode, std::string(direction) + std::string(suffix));
    const std::string value = text(set.value);
    const bool is_number = value.size() == 1 && value[0] >= '0' &&
                           static_cast<std::size_t>(value[0] - '0') < values.size();
    if (!set || is_number || contains(values, value)) continue;
    findings.error(set.value, "unknown-value",
                   text(set.key) + " cannot be " + value + ": Envoy refuses the configuration",
                   "the nearest is " + std::string(nearest(value, values)));
  }
}

void check_mode_fields(const YAML::Node& mode, Findings& findings) {
  check_names(mode, kModeFields, "ProcessingMode", findings);
  check_values(mode, "_header_mode", kHeaderModes, findings);
  check_values(mode, "_trailer_mode", kHeaderModes, findings);
  check_values(mode, "_body_mode", kBodyModeNames, findings);
}

void check_service_fields(const YAML::Node& service, Findings& findings) {
  check_names(service, kServiceFields, "GrpcService", findings);
  check_names(field(service, "envoy_grpc").value, kEnvoyGrpcFields, "EnvoyGrpc", findings);
}

}  // namespace

void check_fields(const YAML::Node& filter_config, Findings& findings) {
  check_names(filter_config, kFilterFields, "ExternalProcessor", findings);
  check_mode_fields(field(filter_config, "processing_mode").value, findings);
  check_service_fields(field(filter_config, "grpc_service").value, findings);
  check_names(field(filter_config, "mutation_rules").value, kRuleFields, "HeaderMutationRules",
              findings);
}

void check_override_fields(const YAML::Node& per_route, Findings& findings) {
  check_names(per_route, kPerRouteFields, "ExtProcPerRoute", findings);
  const YAML::Node overrides = field(per_route, "overrides").value;
  check_names(overrides, kOverrideFields, "ExtProcOverrides", findings);
  check_mode_fields(field(overrides, "processing_mode").value, findings);
  check_service_fields(field(overrides, "grpc_service").value, findings);
}

}  // namespace extproc::envoy_config
