#include <algorithm>
#include <iterator>
#include <string>
#include <tuple>

#include "envoy/write/document_parts.h"
#include "extproc/error.h"
#include "extproc/filter_settings.h"
#include "extproc/limits.h"
#include "rules/needs.h"

namespace extproc::envoy_config {
namespace {

constexpr std::string_view kGatewayApi = "gateway.networking.k8s.io";
constexpr std::string_view kEnvoyGatewayApi = "gateway.envoyproxy.io";

/// In place of the 32 KiB that Envoy Gateway gives each connection.
constexpr std::string_view kBufferLimit = "1Mi";

/// A duration of the Gateway API, whose numbers have five digits at most.
std::string gateway_duration(std::chrono::milliseconds time) {
  constexpr std::int64_t kMost = 99'999;
  if (time.count() <= kMost) return std::to_string(time.count()) + "ms";
  if (time.count() / 1000 > kMost) throw Error("a time-out of more than 99999 s cannot be written");
  const auto rest = time.count() % 1000;
  return std::to_string(time.count() / 1000) + "s" + (rest == 0 ? "" : std::to_string(rest) + "ms");
}

std::string_view gateway_body_mode(BodySendMode mode) {
  switch (mode) {
    case BodySendMode::none:
    case BodySendMode::grpc:
      break;
    case BodySendMode::streamed:
      return "Streamed";
    case BodySendMode::buffered:
      return "Buffered";
    case BodySendMode::buffered_partial:
      return "BufferedPartial";
    case BodySendMode::full_duplex_streamed:
      return "FullDuplexStreamed";
  }
  return "";
}

void write_metadata(YamlWriter& out, std::string_view name, std::string_view where) {
  const auto metadata = out.block("metadata");
  out.field("name", scalar(name));
  out.field("namespace", scalar(where));
}

void write_target(YamlWriter& out, const KubernetesTarget& target) {
  const auto targets = out.block("targetRefs");
  const auto item = out.item("group: " + std::string(kGatewayApi));
  out.field("kind", scalar(target.kind));
  out.field("name", scalar(target.name));
}

void write_backend(YamlWriter& out, const Processor& processor, const DocumentOptions& options) {
  out.field("apiVersion", std::string(kEnvoyGatewayApi) + "/v1alpha1");
  out.field("kind", "Backend");
  write_metadata(out, processor.cluster, options.kubernetes_namespace);
  const auto spec = out.block("spec");
  out.field("type", "Endpoints");
  out.comment("gRPC is HTTP/2.");
  out.line("appProtocols: [gateway.envoyproxy.io/h2c]");
  if (options.tls) write_backend_tls(out, processor, *options.tls);
  const auto endpoints = out.block("endpoints");
  if (const auto* local = std::get_if<server::UnixAddress>(&processor.address)) {
    out.line("- unix: { path: " + scalar(local->path) + " }");
    return;
  }
  const auto& tcp = std::get<server::TcpAddress>(processor.address);
  const std::string port = ", port: " + std::to_string(tcp.port) + " }";
  out.line(is_ip(tcp.host) ? "- ip: { address: " + scalar(tcp.host) + port
                           : "- fqdn: { hostname: " + scalar(tcp.host) + port);
}

void write_retry(YamlWriter& out) {
  out.comment("A stream that cannot be begun on one replica begins on another.");
  const auto retry = out.block("retry");
  out.field("numRetries", kRetries);
  out.line("retryOn: { triggers: " +
           list({std::begin(kRetriedBecause), std::end(kRetriedBecause)}) + " }");
  out.line("perRetry: { backOff: { baseInterval: " + gateway_duration(kRetryInterval) +
           ", maxInterval: " + gateway_duration(kLongestRetryInterval) + " } }");
}

void write_backend_settings(YamlWriter& out) {
  const auto settings = out.block("backendSettings");
  {
    out.comment("One HTTP request is one stream; the default is 1024.");
    const auto breaker = out.block("circuitBreaker");
    out.field("maxParallelRequests", kMostRequests);
    out.field("maxPendingRequests", kMostRequests);
    out.field("maxParallelRetries", kMostRequests);
  }
  write_retry(out);
  {
    out.comment("A processor that shuts down says NOT_SERVING first.");
    const auto health = out.block("healthCheck");
    const auto active = out.block("active");
    out.field("type", "GRPC");
    out.line("grpc: { service: " + std::string(kHealthService) + " }");
    out.field("interval", "1s");
    out.field("timeout", "1s");
    out.field("unhealthyThreshold", "2");
    out.field("healthyThreshold", "1");
  }
  {
    const auto connection = out.block("connection");
    out.field("bufferLimit", kBufferLimit);
  }
  const auto http2 = out.block("http2");
  out.line("connectionKeepalive: { interval: 30s, timeout: 5s }");
  out.field("initialStreamWindowSize", kBufferLimit);
  out.field("maxConcurrentStreams", std::to_string(Limits{}.streams_per_connection));
}

/// A direction that is there has its headers sent.
void write_direction(YamlWriter& out, std::string_view name, bool headers, BodySendMode body,
                     const std::vector<std::string>& attributes) {
  if (body != BodySendMode::none || (headers && !attributes.empty())) {
    const auto direction = out.block(name);
    if (body != BodySendMode::none) out.field("body", gateway_body_mode(body));
    if (!attributes.empty()) out.field("attributes", list(attributes));
  } else if (headers) {
    out.comment("Its headers alone.");
    out.field(name, "{}");
  }
}

void write_namespaces(YamlWriter& out, const extproc::Needs& needs) {
  if (needs.metadata_read.empty() && needs.metadata_set.empty()) return;
  out.comment("Dynamic metadata that it reads, and sets.");
  const auto metadata = out.block("metadata");
  if (!needs.metadata_read.empty()) out.field("accessibleNamespaces", list(needs.metadata_read));
  if (!needs.metadata_set.empty()) out.field("writableNamespaces", list(needs.metadata_set));
}

void require_gateway_mode(const Needs& needs, const ProcessingMode& mode) {
  const std::tuple<bool, BodySendMode, std::string_view> directions[] = {
      {mode.sends(Phase::request_trailers), mode.request_body, "request"},
      {mode.sends(Phase::response_trailers), mode.response_body, "response"}};
  for (const auto& [trailers, body, name] : directions) {
    if (!trailers || body == BodySendMode::full_duplex_streamed) continue;
    throw Error("EnvoyExtensionPolicy cannot send trailers without FULL_DUPLEX_STREAMED, and " +
                needs.name + " handles " + std::string(name) + "_trailers: choose --" +
                std::string(name) + "-body-mode FULL_DUPLEX_STREAMED, or another format");
  }
}

void require_gateway_filter(const FilterSettings& filter) {
  if (filter.max_message_timeout.count() != 0) {
    throw Error(
        "EnvoyExtensionPolicy has no max_message_timeout: leave out --max-message-timeout, or "
        "raise --message-timeout instead");
  }
  if (filter.allow_all_routing || filter.allow_envoy) {
    throw Error(
        "EnvoyExtensionPolicy has no mutation_rules: leave out --allow-all-routing and "
        "--allow-envoy");
  }
  if (!filter.allowed_override_modes.empty() || filter.allow_content_length_header) {
    throw Error(
        "EnvoyExtensionPolicy has no allowed_override_modes and no allow_content_length_header: "
        "leave out --allowed-override-mode and --allow-content-length-header");
  }
}

void require_gateway_needs(const Needs& needs) {
  if (needs.stated.observability_mode)
    throw Error("EnvoyExtensionPolicy has no observability_mode, which " + needs.name +
                " needs: choose another format");
  if (sends_body_unasked(needs))
    throw Error(
        "EnvoyExtensionPolicy has no send_body_without_waiting_for_header_response, which " +
        needs.name + " needs: choose another format");
}

void write_extension(YamlWriter& out, const Processor& processor, const DocumentOptions& options) {
  const ProcessingMode mode = needed_mode(processor.needs);
  require_gateway_mode(processor.needs, mode);
  require_gateway_needs(processor.needs);
  const extproc::Needs& stated = processor.needs.stated;
  const FilterSettings filter = rules::filled_in(processor.needs.filter, stated);
  require_gateway_filter(filter);
  out.line("- backendRefs:");
  const auto item = out.indent();
  {
    const auto ref = out.item("group: " + std::string(kEnvoyGatewayApi));
    out.field("kind", "Backend");
    out.field("name", scalar(processor.cluster));
  }
  out.comment(options.failure_mode_allow
                  ? "failure_mode_allow: a request goes on without a processor that fails."
                  : "failure_mode_allow: a request fails when the processor fails.");
  out.field("failOpen", options.failure_mode_allow ? "true" : "false");
  out.comment("How long Envoy waits for each answer.");
  out.field("messageTimeout", gateway_duration(filter.message_timeout));
  {
    out.comment("Only what the processor handles: each phase that is sent costs a round trip.");
    const bool request = mode.sends(Phase::request_headers);
    const bool response = mode.sends(Phase::response_headers);
    if (!request && !response) {
      out.field("processingMode", "{}");
    } else {
      const auto block = out.block("processingMode");
      if (processor.needs.overrides_mode()) out.field("allowModeOverride", "true");
      write_direction(out, "request", request, mode.request_body, stated.request_attributes);
      write_direction(out, "response", response, mode.response_body, stated.response_attributes);
    }
  }
  write_namespaces(out, stated);
  write_backend_settings(out);
}

/// The buffers of callers' connections are also those of bodies that are held, in both directions.
void write_buffers(YamlWriter& out, const std::string& name, const KubernetesTarget& gateway,
                   const DocumentOptions& options) {
  out.line("---");
  out.comment("The largest body that can be held for the processor, " + std::string(kBufferLimit) +
              " in place of 32 KiB. Of two policies for one Gateway the older counts: where there "
              "is one, put this into it.");
  out.field("apiVersion", std::string(kEnvoyGatewayApi) + "/v1alpha1");
  out.field("kind", "ClientTrafficPolicy");
  write_metadata(out, name, options.kubernetes_namespace);
  const auto spec = out.block("spec");
  write_target(out, gateway);
  {
    const auto connection = out.block("connection");
    out.field("bufferLimit", kBufferLimit);
  }
  out.comment("The same for callers of HTTP/2, in place of 64 KiB.");
  const auto http2 = out.block("http2");
  out.field("initialStreamWindowSize", kBufferLimit);
}

}  // namespace

void write_envoy_gateway(YamlWriter& out, const std::vector<Processor>& processors,
                         const DocumentOptions& options) {
  write_title(out, "For Envoy Gateway, with extensionApis.enableBackend on", processors);
  for (const Processor& processor : processors) {
    write_backend(out, processor, options);
    out.line("---");
  }
  out.field("apiVersion", std::string(kEnvoyGatewayApi) + "/v1alpha1");
  out.field("kind", "EnvoyExtensionPolicy");
  write_metadata(out, processors.front().cluster, options.kubernetes_namespace);
  const KubernetesTarget gateway{"Gateway", options.gateway};
  const KubernetesTarget target = options.target.value_or(gateway);
  {
    const auto spec = out.block("spec");
    write_target(out, target);
    const auto extensions = out.block("extProc");
    for (const Processor& processor : processors) write_extension(out, processor, options);
  }
  const bool holds_a_body = std::ranges::any_of(processors, [](const Processor& processor) {
    return needed_mode(processor.needs).holds_a_body();
  });
  if (holds_a_body) {
    write_buffers(out, processors.front().cluster, target.kind == "Gateway" ? target : gateway,
                  options);
  }
}

void write_istio(YamlWriter& out, const std::vector<Processor>& processors,
                 const DocumentOptions& options) {
  write_title(out, "For Istio's gateway", processors);
  out.field("apiVersion", "networking.istio.io/v1alpha3");
  out.field("kind", "EnvoyFilter");
  write_metadata(out, processors.front().cluster, options.kubernetes_namespace);
  const auto spec = out.block("spec");
  if (options.target) {
    write_target(out, *options.target);
  } else {
    const auto selector = out.block("workloadSelector");
    out.line("labels: { istio: ingressgateway }");
  }
  const auto patches = out.block("configPatches");
  for (const Processor& processor : processors) {
    const auto item = out.item("applyTo: CLUSTER");
    out.line("match: { context: GATEWAY }");
    const auto patch = out.block("patch");
    out.field("operation", "ADD");
    const auto value = out.block("value");
    out.field("name", scalar(processor.cluster));
    write_cluster(out, processor, options);
  }
  for (const Processor& processor : processors) {
    const auto item = out.item("applyTo: HTTP_FILTER");
    {
      const auto match = out.block("match");
      out.field("context", "GATEWAY");
      const auto listener = out.block("listener");
      const auto chain = out.block("filterChain");
      const auto filter = out.block("filter");
      out.field("name", "envoy.filters.network.http_connection_manager");
      out.line("subFilter: { name: envoy.filters.http.router }");
    }
    const auto patch = out.block("patch");
    out.field("operation", "INSERT_BEFORE");
    const auto value = out.block("value");
    out.field("name", scalar(processor.cluster));
    write_filter(out, processor, options);
  }
}

}  // namespace extproc::envoy_config
