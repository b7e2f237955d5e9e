#include <algorithm>

#include "envoy/write/document_parts.h"

namespace extproc::envoy_config {
namespace {

/// HTTP/1 trailers are dropped unless they are asked for.
bool sends_trailers(const std::vector<Processor>& processors, Phase phase) {
  return std::ranges::any_of(processors, [&](const Processor& processor) {
    return processor.needs.handled.contains(phase);
  });
}

void write_overload_manager(YamlWriter& out) {
  out.comment("Without a limit Envoy accepts connections until it runs out of files.");
  const auto manager = out.block("overload_manager");
  const auto monitors = out.block("resource_monitors");
  const auto item = out.item("name: envoy.resource_monitors.global_downstream_max_connections");
  const auto config = out.block("typed_config");
  write_type(out,
             "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig");
  out.field("max_active_downstream_connections", "10000");
}

bool holds_a_body(const std::vector<Processor>& processors) {
  return std::ranges::any_of(processors, [](const Processor& processor) {
    return needed_mode(processor.needs).holds_a_body();
  });
}

constexpr std::string_view kWebSocket = "upgrade_configs: [{ upgrade_type: websocket }]";

/// An upgrade has no end that a body could be held for, so it has a route of its own.
void write_upgrade_route(YamlWriter& out, const std::vector<Processor>& processors,
                         const DocumentOptions& options) {
  out.comment("An upgrade has no end, so that no body of it can be held.");
  const auto route = out.item(
      "match: { prefix: /, headers: [{ name: upgrade, string_match: { exact: websocket, "
      "ignore_case: true } }] }");
  {
    const auto action = out.block("route");
    out.field("cluster", "upstream");
    out.field("timeout", "0s");
    out.line(kWebSocket);
  }
  const auto overrides = out.block("typed_per_filter_config");
  for (const Processor& processor : processors) write_upgrade_override(out, processor, options);
}

void write_routes(YamlWriter& out, const std::vector<Processor>& processors,
                  const DocumentOptions& options) {
  const auto config = out.block("route_config");
  out.field("name", "routes");
  const auto hosts = out.block("virtual_hosts");
  const auto host = out.item("name: all");
  out.line(R"(domains: ["*"])");
  const auto routes = out.block("routes");
  if (options.upgrades && holds_a_body(processors)) write_upgrade_route(out, processors, options);
  const auto route = out.item("match: { prefix: / }");
  out.comment(
      "Any time for a response, which may be a stream of events; stream_idle_timeout ends one that "
      "stands still for 5 minutes.");
  out.line("route: { cluster: upstream, timeout: 0s }");
}

void write_http_filters(YamlWriter& out, const std::vector<Processor>& processors,
                        const DocumentOptions& options) {
  if (processors.size() > 1) {
    out.comment(
        "A request passes them in this order, its response in reverse. One chain behind one filter "
        "would cost less.");
  }
  const auto filters = out.block("http_filters");
  for (const Processor& processor : processors) {
    const auto item = out.item("name: " + scalar(processor.cluster));
    write_filter(out, processor, options);
  }
  const auto router = out.item("name: envoy.filters.http.router");
  const auto config = out.block("typed_config");
  write_type(out, "extensions.filters.http.router.v3.Router");
}

void write_listener(YamlWriter& out, const std::vector<Processor>& processors,
                    const DocumentOptions& options) {
  const auto listeners = out.block("listeners");
  const auto listener = out.item("name: http");
  write_address(out, options.listen);
  out.comment("Also the largest body that BUFFERED can hold.");
  out.field("per_connection_buffer_limit_bytes", "1048576");
  const auto chains = out.block("filter_chains");
  out.line("- filters:");
  const auto chain = out.indent();
  const auto manager = out.item("name: envoy.filters.network.http_connection_manager");
  const auto config = out.block("typed_config");
  write_type(out, "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager");
  out.field("stat_prefix", "http");
  if (sends_trailers(processors, Phase::request_trailers)) {
    out.line("http_protocol_options: { enable_trailers: true }");
  }
  if (options.upgrades && !holds_a_body(processors)) out.line(kWebSocket);
  write_http_filters(out, processors, options);
  write_routes(out, processors, options);
}

void write_upstream_tls(YamlWriter& out, const std::string& host) {
  out.comment(
      "The certificate is not checked: name a trusted_ca here before this leaves your desk.");
  const auto socket = out.block("transport_socket");
  out.field("name", "envoy.transport_sockets.tls");
  const auto config = out.block("typed_config");
  write_type(out, "extensions.transport_sockets.tls.v3.UpstreamTlsContext");
  if (!is_ip(host)) out.field("sni", scalar(host));
}

void write_upstream(YamlWriter& out, const std::vector<Processor>& processors,
                    const Upstream& upstream) {
  const auto item = out.item("name: upstream");
  const Endpoint endpoint = upstream.address;
  write_discovery(out, endpoint);
  if (sends_trailers(processors, Phase::response_trailers)) {
    const auto extensions = out.block("typed_extension_protocol_options");
    const auto options = out.block("envoy.extensions.upstreams.http.v3.HttpProtocolOptions");
    write_type(out, "extensions.upstreams.http.v3.HttpProtocolOptions");
    const auto config = out.block("explicit_http_config");
    out.line("http_protocol_options: { enable_trailers: true }");
  }
  if (upstream.tls) write_upstream_tls(out, upstream.address.host);
  write_endpoint(out, "upstream", endpoint);
}

}  // namespace

void write_full(YamlWriter& out, const std::vector<Processor>& processors,
                const DocumentOptions& options) {
  write_title(out, "The whole configuration of an Envoy", processors);
  out.empty_line();
  {
    const auto admin = out.block("admin");
    write_address(out, options.admin);
  }
  out.empty_line();
  if (options.tls) {
    write_node(out);
    out.empty_line();
  }
  write_overload_manager(out);
  out.empty_line();
  const auto resources = out.block("static_resources");
  write_listener(out, processors, options);
  out.empty_line();
  const auto clusters = out.block("clusters");
  for (const Processor& processor : processors) {
    if (processor.in_process) continue;
    const auto item = out.item("name: " + scalar(processor.cluster));
    write_cluster(out, processor, options);
  }
  write_upstream(out, processors, options.upstream);
}

}  // namespace extproc::envoy_config
