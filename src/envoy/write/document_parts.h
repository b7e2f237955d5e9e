#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/write/documents.h"
#include "envoy/write/yaml_writer.h"

namespace extproc::envoy_config {

inline constexpr std::string_view kTypes = "type.googleapis.com/envoy.";

/// What the server's health check answers for, whichever processors it serves.
inline constexpr std::string_view kHealthService = "envoy.service.ext_proc.v3.ExternalProcessor";

/// Requests, and with them streams to the processor, that may be under way at once, and of them be
/// retried.
inline constexpr std::string_view kMostRequests = "100000";

/// How often, and why, a stream that cannot be begun on one replica is begun on another. One that
/// had begun is not repeated: its processor may have seen the request.
inline constexpr std::string_view kRetries = "5";
inline constexpr std::string_view kRetriedBecause[] = {"connect-failure", "refused-stream"};
inline constexpr std::chrono::milliseconds kRetryInterval{5};
inline constexpr std::chrono::milliseconds kLongestRetryInterval{20};

/// The first line of each document: what it is for.
void write_title(YamlWriter& out, std::string_view what, const std::vector<Processor>& processors);

/// A protobuf duration: "0.2s".
std::string duration(std::chrono::milliseconds time);

/// A list of texts in one line.
std::string list(const std::vector<std::string>& texts);

/// `"@type": ...`, of a type below `envoy.`.
void write_type(YamlWriter& out, std::string_view type);

/// The fields of an http_filters entry, of either kind; the caller opens it.
void write_filter(YamlWriter& out, const Processor& processor, const DocumentOptions& options);
/// That of a processor inside Envoy.
void write_in_process(YamlWriter& out, const Processor& processor, const DocumentOptions& options);
/// What a route says of that, in its typed_per_filter_config: all of it, with another mode.
void write_in_process_route(YamlWriter& out, const Processor& processor, const ProcessingMode& mode,
                            const DocumentOptions& options);

/// What a route for upgrades says of the filter, in its typed_per_filter_config: bodies that Envoy
/// would hold until they end are not sent, since they have no end.
void write_upgrade_override(YamlWriter& out, const Processor& processor,
                            const DocumentOptions& options);
/// The fields of both kinds of filters: failures, header rules, content-length.
void write_failure_mode(YamlWriter& out, const DocumentOptions& options);
void write_mutation_rules(YamlWriter& out, const FilterSettings& filter);
void write_content_length(YamlWriter& out, const FilterSettings& filter);
void write_mode(YamlWriter& out, const Needs& needs, const ProcessingMode& mode);
/// What a processor states of its filter, but for its modes, times and rules.
void write_stated(YamlWriter& out, const Needs& needs);

/// The fields of a cluster, after its name; the caller opens it.
void write_cluster(YamlWriter& out, const Processor& processor, const DocumentOptions& options);

/// The name that a processor's certificate is for.
std::string server_name(const ProcessorTls& tls, const Processor& processor);
/// Throws Error where the format cannot express the TLS that is asked for, or it is incomplete.
void require_tls(Format format, const Processor& processor, const ProcessorTls& tls);
/// The transport_socket of a cluster. Its certificates come from the files of write_sds().
void write_tls(YamlWriter& out, const Processor& processor, const ProcessorTls& tls);
/// The field `tls` of Envoy Gateway's Backend.
void write_backend_tls(YamlWriter& out, const Processor& processor, const ProcessorTls& tls);
/// The file of `sds_ca` or `sds_certificate`.
void write_sds(YamlWriter& out, Format format, const ProcessorTls& tls);
/// What an Envoy needs that takes anything by SDS.
void write_node(YamlWriter& out);

/// The address of one endpoint, how it is found, and how long a connection may take.
void write_discovery(YamlWriter& out, const Endpoint& endpoint);
void write_endpoint(YamlWriter& out, std::string_view cluster, const Endpoint& endpoint);

void write_full(YamlWriter& out, const std::vector<Processor>& processors,
                const DocumentOptions& options);
void write_envoy_gateway(YamlWriter& out, const std::vector<Processor>& processors,
                         const DocumentOptions& options);
void write_istio(YamlWriter& out, const std::vector<Processor>& processors,
                 const DocumentOptions& options);

}  // namespace extproc::envoy_config
