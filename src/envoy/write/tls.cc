#include "envoy/write/document_parts.h"
#include "extproc/error.h"

namespace extproc::envoy_config {
namespace {

constexpr std::string_view kCa = "extproc-ca";
constexpr std::string_view kCertificate = "extproc-certificate";

constexpr std::string_view kWhyAlpn =
    "The server asks for it, and health checks have it from here alone.";

std::string folder_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : file.substr(0, slash);
}

std::string_view secret_of(Format format) { return format == Format::sds_ca ? kCa : kCertificate; }

void write_watch(YamlWriter& out, const std::string& folder) {
  out.line("watched_directory: { path: " + scalar(folder) + " }");
}

/// The rest of an SdsSecretConfig, whose name has been written.
void write_source(YamlWriter& out, const ProcessorTls& tls, Format format) {
  const auto config = out.block("sds_config");
  {
    const auto source = out.block("path_config_source");
    out.field("path", scalar(sds_file(tls, format)));
    write_watch(out, tls.sds_folder);
  }
  out.field("resource_api_version", "V3");
}

void write_validation(YamlWriter& out, const std::string& name, const ProcessorTls& tls) {
  const auto combined = out.block("combined_validation_context");
  {
    const auto own = out.block("default_validation_context");
    const auto names = out.block("match_typed_subject_alt_names");
    out.line("- { san_type: " + std::string(is_ip(name) ? "IP_ADDRESS" : "DNS") +
             ", matcher: { exact: " + scalar(name) + " } }");
  }
  const auto secret = out.block("validation_context_sds_secret_config");
  out.field("name", kCa);
  write_source(out, tls, Format::sds_ca);
}

void write_context(YamlWriter& out, const std::string& name, const ProcessorTls& tls) {
  if (!is_ip(name)) out.field("sni", scalar(name));
  const auto common = out.block("common_tls_context");
  out.comment("As a client Envoy speaks TLS 1.2 at most, unless it is told otherwise.");
  out.line("tls_params: { tls_maximum_protocol_version: TLSv1_3 }");
  out.comment(kWhyAlpn);
  out.line("alpn_protocols: [h2]");
  if (!tls.certificate.empty()) {
    const auto certificates = out.block("tls_certificate_sds_secret_configs");
    const auto item = out.item("name: " + std::string(kCertificate));
    write_source(out, tls, Format::sds_certificate);
  }
  write_validation(out, name, tls);
}

void require_gateway_tls(const std::string& name, const ProcessorTls& tls) {
  if (!tls.certificate.empty()) {
    throw Error(
        "Envoy Gateway 1.9 gives Envoy no client certificate for a processor "
        "(github.com/envoyproxy/gateway/issues/9726): leave out --tls-cert and --tls-key, and "
        "serve without --tls-client-ca; or choose another format");
  }
  if (is_ip(name)) {
    throw Error("a Backend of Envoy Gateway compares certificates with a DNS name, and " + name +
                " is an IP address: give the name with --tls-server-name");
  }
}

}  // namespace

std::string sds_file(const ProcessorTls& tls, Format format) {
  return tls.sds_folder + (tls.sds_folder.ends_with('/') ? "" : "/") +
         std::string(secret_of(format)) + ".yaml";
}

std::string server_name(const ProcessorTls& tls, const Processor& processor) {
  if (tls.server_name) return *tls.server_name;
  const auto* tcp = std::get_if<server::TcpAddress>(&processor.address);
  return tcp == nullptr ? std::string() : tcp->host;
}

void require_tls(Format format, const Processor& processor, const ProcessorTls& tls) {
  if (std::holds_alternative<server::UnixAddress>(processor.address)) {
    throw Error(
        "--tls, and the processor is on a Unix domain socket, where the server speaks clear text: "
        "leave out --tls, or give --address host:port");
  }
  if (tls.certificate.empty() != tls.key.empty()) {
    throw Error("--tls-cert and --tls-key belong together: give both, or neither");
  }
  if (tls.server_name && tls.server_name->empty())
    throw Error("--tls-server-name is empty: give the name in the server's certificate");
  if (format == Format::envoy_gateway) return require_gateway_tls(server_name(tls, processor), tls);
  if (tls.sds_folder.empty())
    throw Error("--tls-sds-folder is empty: name the folder of the SDS files on Envoy's machine");
  if (tls.ca.empty()) {
    throw Error(
        "--tls needs --tls-ca, the file on Envoy's machine with the CA of the server's "
        "certificate: without one Envoy trusts every server; that of Debian's own CAs is "
        "/etc/ssl/certs/ca-certificates.crt");
  }
  if (format == Format::sds_certificate && tls.certificate.empty()) {
    throw Error(
        "--format sds-certificate writes the file that names Envoy's certificate: give --tls-cert "
        "and --tls-key, or, where Envoy shows none, leave this file out");
  }
}

void write_tls(YamlWriter& out, const Processor& processor, const ProcessorTls& tls) {
  out.comment("TLS. " + sds_file(tls, Format::sds_ca) + " is what --format sds-ca writes" +
              (tls.certificate.empty() ? ""
                                       : ", " + sds_file(tls, Format::sds_certificate) +
                                             " what --format sds-certificate does") +
              ". Without, Envoy does not start; it reads certificates anew by them.");
  const auto socket = out.block("transport_socket");
  out.field("name", "envoy.transport_sockets.tls");
  const auto config = out.block("typed_config");
  write_type(out, "extensions.transport_sockets.tls.v3.UpstreamTlsContext");
  write_context(out, server_name(tls, processor), tls);
}

void write_backend_tls(YamlWriter& out, const Processor& processor, const ProcessorTls& tls) {
  const auto block = out.block("tls");
  out.comment("Also what the certificate must be for.");
  out.field("sni", scalar(server_name(tls, processor)));
  if (tls.ca.empty()) {
    out.field("wellKnownCACertificates", "System");
  } else {
    out.comment("A ConfigMap of this namespace, with the CA as ca.crt.");
    out.line("caCertificateRefs: [{ group: \"\", kind: ConfigMap, name: " + scalar(tls.ca) + " }]");
  }
  out.comment(kWhyAlpn);
  out.line("alpnProtocols: [h2]");
}

void write_sds(YamlWriter& out, Format format, const ProcessorTls& tls) {
  const bool is_ca = format == Format::sds_ca;
  out.comment("The file " + sds_file(tls, format) +
              " of Envoy's machine. Written by `extproc config`.");
  const auto resources = out.block("resources");
  const auto item =
      out.item("\"@type\": " + std::string(kTypes) + "extensions.transport_sockets.tls.v3.Secret");
  out.field("name", secret_of(format));
  const auto secret = out.block(is_ca ? "validation_context" : "tls_certificate");
  if (is_ca) {
    out.line("trusted_ca: { filename: " + scalar(tls.ca) + " }");
  } else {
    out.line("certificate_chain: { filename: " + scalar(tls.certificate) + " }");
    out.line("private_key: { filename: " + scalar(tls.key) + " }");
  }
  out.comment("Envoy reads anew when something is moved into it (mv), not when a file is written.");
  write_watch(out, folder_of(is_ca ? tls.ca : tls.certificate));
}

void write_node(YamlWriter& out) {
  out.comment(
      "Envoy takes no certificates by SDS without. --service-node and --service-cluster "
      "say it as well.");
  out.line("node: { id: envoy, cluster: envoy }");
}

}  // namespace extproc::envoy_config
