#include <algorithm>
#include <cstdint>
#include <string>

#include "envoy/check/check_context.h"
#include "envoy/message_reader.h"
#include "envoy/yaml_node.h"

namespace extproc::envoy_config {
namespace {

/// Envoy's, for max_requests and max_pending_requests, and for max_retries.
constexpr std::uint64_t kDefaultRequests = 1024;
constexpr std::uint64_t kDefaultRetries = 3;

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

/// The threshold of normal priority; not defined when there is none.
YAML::Node normal_threshold(const YAML::Node& cluster) {
  YAML::Node normal(YAML::NodeType::Undefined);
  for (const YAML::Node& threshold : items(at(cluster, {"circuit_breakers", "thresholds"}))) {
    if (text(field(threshold, "priority").value) != "HIGH") normal.reset(threshold);
  }
  return normal;
}

void check_circuit_breakers(const YAML::Node& cluster, Place where, const std::string& name,
                            Findings& findings) {
  const YAML::Node normal = normal_threshold(cluster);
  for (const std::string_view field_name : {"max_requests", "max_pending_requests"}) {
    const auto limit = number(field(normal, field_name).value).value_or(kDefaultRequests);
    if (limit > kDefaultRequests) continue;
    findings.warning(
        normal.IsDefined() ? place_of(normal) : where, "circuit-breaker",
        name + " allows " + std::to_string(limit) + " " + std::string(field_name) +
            ": every HTTP request is a stream there for as long as it lasts, and above "
            "that they fail",
        "set circuit_breakers.thresholds with " + std::string(field_name) +
            " above the requests in flight");
  }
}

/// As far as the text says so.
bool has_replicas(const YAML::Node& cluster) {
  const std::string type = text(field(cluster, "type").value);
  if (type == "STRICT_DNS" || type == "EDS") return true;
  std::size_t endpoints = 0;
  for (const YAML::Node& locality : items(at(cluster, {"load_assignment", "endpoints"})))
    endpoints += items(field(locality, "lb_endpoints").value).size();
  return endpoints > 1;
}

/// Streams that cannot be begun on one replica can be on another.
void check_retries(const YAML::Node& cluster, Place where, const std::string& name,
                   const GrpcService& service, Findings& findings) {
  if (!service.retry_policy) {
    if (!has_replicas(cluster)) return;
    findings.advice(where, "no-retry-policy",
                    "streams that meet a replica of " + name +
                        " that has just died fail, until the health check knows",
                    "add a retry_policy to grpc_service; `extproc config --format filter` writes "
                    "it");
    return;
  }
  const YAML::Node normal = normal_threshold(cluster);
  if (field(normal, "retry_budget")) return;
  if (number(field(normal, "max_retries").value).value_or(kDefaultRetries) > kDefaultRetries)
    return;
  findings.warning(normal.IsDefined() ? place_of(normal) : where, "circuit-breaker",
                   name + " allows " + std::to_string(kDefaultRetries) +
                       " max_retries at once: where a replica dies, the retry_policy of the "
                       "filter has far more to retry",
                   "set circuit_breakers.thresholds with max_retries as high as max_requests");
}

void check_window(const YAML::Node& cluster, const std::string& name, Findings& findings) {
  const Field http2 = http2_options(cluster);
  if (!http2 || field(http2.value, "initial_stream_window_size")) return;
  findings.advice(place_of(http2.key), "stream-window",
                  name +
                      " leaves the window of a stream at Envoy's 16 MiB: for each slow body "
                      "that is streamed, Envoy may hold as much",
                  "add initial_stream_window_size: 1048576");
}

}  // namespace

void check_service(const Configuration& configuration, const GrpcService& service,
                   const FilterUnderCheck& checked, std::optional<bool> tls, Findings& findings) {
  const std::string& name = checked.name;
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
  check_tls({found, where, described}, tls, findings);
  check_retries(found, where, described, service, findings);
  if (checked.mode.streams_a_body()) check_window(found, described, findings);
}

}  // namespace extproc::envoy_config
