#include "envoy/write/document_parts.h"
#include "extproc/limits.h"

namespace extproc::envoy_config {
namespace {

void write_http2(YamlWriter& out) {
  out.comment("gRPC is HTTP/2.");
  const auto extensions = out.block("typed_extension_protocol_options");
  const auto options = out.block("envoy.extensions.upstreams.http.v3.HttpProtocolOptions");
  write_type(out, "extensions.upstreams.http.v3.HttpProtocolOptions");
  const auto explicit_config = out.block("explicit_http_config");
  const auto http2 = out.block("http2_protocol_options");
  out.comment("A connection that answers no ping is replaced, before requests time out on it.");
  out.line("connection_keepalive: { interval: 30s, timeout: 5s }");
  out.comment("What the server allows on one connection.");
  out.field("max_concurrent_streams", std::to_string(Limits{}.streams_per_connection));
  out.comment(
      "What the processor may send ahead on one stream. Envoy's 16 MiB would be held for each "
      "slow body.");
  out.field("initial_stream_window_size", "1048576");
}

void write_health_check(YamlWriter& out) {
  out.comment(
      "A processor that shuts down says NOT_SERVING first, so that another endpoint can take "
      "over.");
  const auto block = out.block("health_checks");
  const auto item = out.item("timeout: 1s");
  out.field("interval", "1s");
  out.field("no_traffic_interval", "1s");
  out.field("unhealthy_threshold", "2");
  out.field("healthy_threshold", "1");
  out.line("grpc_health_check: { service_name: " + std::string(kHealthService) + " }");
}

void write_circuit_breakers(YamlWriter& out) {
  out.comment(
      "One HTTP request is one stream, so the default of 1024 would limit the requests in flight.");
  const auto block = out.block("circuit_breakers");
  const auto list = out.block("thresholds");
  const auto item = out.item("max_connections: 1024");
  out.field("max_pending_requests", kMostRequests);
  out.field("max_requests", kMostRequests);
  out.comment("When a replica dies, all that it had begun is retried at once; the default is 3.");
  out.field("max_retries", kMostRequests);
}

}  // namespace

void write_discovery(YamlWriter& out, const Endpoint& endpoint) {
  const bool dns = needs_dns(endpoint);
  out.field("type", dns ? "STRICT_DNS" : "STATIC");
  if (dns) out.field("dns_lookup_family", "V4_PREFERRED");
  out.field("connect_timeout", "1s");
}

void write_endpoint(YamlWriter& out, std::string_view cluster, const Endpoint& endpoint) {
  const auto assignment = out.block("load_assignment");
  out.field("cluster_name", scalar(cluster));
  const auto endpoints = out.block("endpoints");
  out.line("- lb_endpoints:");
  const auto deeper = out.indent();
  out.line("- endpoint:");
  const auto deepest = out.indent();
  const auto fields = out.indent();
  write_address(out, endpoint);
}

void write_cluster(YamlWriter& out, const Processor& processor, const DocumentOptions& options) {
  write_discovery(out, processor.address);
  out.comment(
      "Bytes that wait on a connection in either direction, before Envoy reads no further.");
  out.field("per_connection_buffer_limit_bytes", "1048576");
  write_http2(out);
  write_health_check(out);
  write_circuit_breakers(out);
  if (options.tls) write_tls(out, processor, *options.tls);
  write_endpoint(out, processor.cluster, processor.address);
}

}  // namespace extproc::envoy_config
