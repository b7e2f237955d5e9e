#include <string>

#include "envoy/check/check_context.h"
#include "envoy/message_reader.h"
#include "envoy/yaml_node.h"

namespace extproc::envoy_config {
namespace {

/// Envoy's, for max_requests and max_pending_requests.
constexpr unsigned long kDefaultRequests = 1024;

/// The cluster's HttpProtocolOptions; not defined when it has none.
YAML::Node http_options(const YAML::Node& cluster) {
  return at(cluster, {"typed_extension_protocol_options",
                      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"});
}

/// The cluster's HTTP/2 options, where they say that it speaks HTTP/2.
Field http2_options(const YAML::Node& cluster) {
  const YAML::Node options = http_options(cluster);
  const YAML::Node chosen = field(options, "explicit_http_config").value;
  if (Field http2 = field(chosen, "http2_protocol_options")) return http2;
  // Which of the two protocols is agreed on with TLS.
  const YAML::Node automatic = field(options, "auto_config").value;
  if (Field http2 = field(automatic, "http2_protocol_options");
      http2 && field(cluster, "transport_socket")) {
    return http2;
  }
  return field(cluster, "http2_protocol_options");
}

void check_http2(const YAML::Node& cluster, Place where, const std::string& name,
                 Findings& findings) {
  const Field http2 = http2_options(cluster);
  if (!http2) {
    findings.error(where, "no-http2",
                   name +
                       " has no http2_protocol_options: Envoy speaks HTTP/1.1 with the processor, "
                       "and every stream fails",
                   "add typed_extension_protocol_options with explicit_http_config: { "
                   "http2_protocol_options: {} }; `extproc config --format cluster` writes it");
  } else if (!field(http2.value, "connection_keepalive")) {
    findings.warning(place_of(http2.key), "no-keepalive",
                     name +
                         " sends no pings: requests time out on a connection that is dead, until "
                         "TCP sees it",
                     "add connection_keepalive: { interval: 30s, timeout: 5s }");
  }
}

void check_health(const YAML::Node& cluster, Place where, const std::string& name,
                  Findings& findings) {
  const Field checks = field(cluster, "health_checks");
  if (!checks || !checks.value.IsSequence() || checks.value.size() == 0) {
    findings.warning(where, "no-health-check",
                     name + " has no health check: a processor that shuts down is still asked",
                     "add health_checks with grpc_health_check: {}");
    return;
  }
  for (const YAML::Node& check : checks.value) {
    const Field grpc = field(check, "grpc_health_check");
    // An empty message may be written as nothing at all.
    const bool is_there = check.IsMap() && check["grpc_health_check"].IsDefined();
    if (!grpc && !is_there) {
      findings.warning(place_of(check), "health-check-not-grpc",
                       name +
                           " has a health check that is not gRPC's: it does not see that a "
                           "processor shuts down",
                       "use grpc_health_check: {}");
    }
  }
}

/// The least that a threshold of normal priority says.
unsigned long limit(const YAML::Node& threshold, std::string_view name) {
  const std::string value = text(field(threshold, name).value);
  if (value.empty() || value.find_first_not_of("0123456789") != std::string::npos) {
    return kDefaultRequests;
  }
  return std::strtoul(value.c_str(), nullptr, 10);
}

void check_circuit_breakers(const YAML::Node& cluster, Place where, const std::string& name,
                            Findings& findings) {
  const YAML::Node thresholds = at(cluster, {"circuit_breakers", "thresholds"});
  YAML::Node normal(YAML::NodeType::Undefined);
  if (thresholds.IsDefined() && thresholds.IsSequence()) {
    for (const YAML::Node& threshold : thresholds) {
      if (text(field(threshold, "priority").value) != "HIGH") normal.reset(threshold);
    }
  }
  for (const std::string_view field_name : {"max_requests", "max_pending_requests"}) {
    if (limit(normal, field_name) > kDefaultRequests) continue;
    findings.warning(
        normal.IsDefined() ? place_of(normal) : where, "circuit-breaker",
        name + " allows " + std::to_string(limit(normal, field_name)) + " " +
            std::string(field_name) +
            ": every HTTP request is a stream there for as long as it lasts, and above "
            "that they fail",
        "set circuit_breakers.thresholds with " + std::string(field_name) +
            " above the requests in flight");
  }
}

}  // namespace

void check_service(const Configuration& configuration, const GrpcService& service,
                   const std::string& name, Findings& findings) {
  if (service.google_grpc) {
    findings.warning(service.google_grpc, "google-grpc",
                     name +
                         " uses google_grpc: no health check, no outlier detection, no pings of a "
                         "cluster, and more time for each stream",
                     "use envoy_grpc with a cluster");
    return;
  }
  if (!service.cluster_name.is_stated()) return;
  const std::string& cluster = service.cluster_name;
  const YAML::Node found = configuration.cluster(cluster);
  if (!found.IsDefined()) {
    if (!configuration.is_complete) return;
    findings.error(
        service.cluster_name.place, "cluster-missing",
        name + " names the cluster " + cluster + ", which is not there",
        "add it: `extproc config --format cluster --cluster-name " + cluster + "` writes it");
    return;
  }
  const Place where = place_of(field(found, "name").key);
  const std::string described = "the cluster " + cluster;
  check_http2(found, where, described, findings);
  check_health(found, where, described, findings);
  check_circuit_breakers(found, where, described, findings);
}

}  // namespace extproc::envoy_config
