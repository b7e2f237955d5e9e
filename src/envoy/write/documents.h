#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/needs.h"
#include "envoy/write/endpoint.h"
#include "extproc/detail/setting_node.h"

namespace extproc::envoy_config {

enum class Format : std::uint8_t {
  filter,
  cluster,
  full,
  envoy_gateway,
  istio,
  /// The files from which Envoy takes the certificates of TLS.
  sds_ca,
  sds_certificate
};

inline constexpr Format kFormats[] = {Format::filter,         Format::cluster, Format::full,
                                      Format::envoy_gateway,  Format::istio,   Format::sds_ca,
                                      Format::sds_certificate};

/// As on the command line: "envoy-gateway".
std::string_view to_string(Format format);

/// What the filter of a processor inside Envoy loads.
struct InProcess {
  struct Processor {
    /// "module.Name".
    std::string name;
    /// Its own: a mapping, or nothing.
    detail::SettingNode settings{};
  };
  /// Several are a chain.
  std::vector<Processor> processors{};
  /// Folders, before those that are looked into in any case.
  std::vector<std::string> module_path{};
};

/// A processor, or a chain of them, behind one filter and one cluster.
struct Processor {
  Needs needs;
  /// The name of both.
  std::string cluster;
  Endpoint address;
  /// Set: it runs inside Envoy, and has neither cluster nor address.
  std::optional<InProcess> in_process{};
};

/// "TrivialExtProcService" -> "trivial-ext-proc-service", as Kubernetes wants names.
std::string cluster_name(std::string_view processor);

/// A resource of Kubernetes that a policy is attached to.
struct KubernetesTarget {
  std::string kind = "Gateway";
  std::string name;
};

/// How Envoy speaks TLS with processors. Paths are those of Envoy's machine, as they are given.
struct ProcessorTls {
  /// The CAs whose certificates the processors show, PEM. `envoy_gateway`: the name of a ConfigMap
  /// that has them as ca.crt; empty there: the system's.
  std::string ca{};
  /// What Envoy shows, for mutual TLS, and its key; both or neither.
  std::string certificate{};
  std::string key{};
  /// Which DNS name or IP address the processors' certificates are for. None: the host of each
  /// one's address.
  std::optional<std::string> server_name{};
  /// Where the files are that `sds_ca` and `sds_certificate` write.
  std::string sds_folder = "/etc/envoy/sds";
};

struct DocumentOptions {
  bool failure_mode_allow = false;
  /// None: clear text.
  std::optional<ProcessorTls> tls{};
  /// `full`: where Envoy and its admin page listen.
  Endpoint listen = server::TcpAddress{"127.0.0.1", 8080};
  Endpoint admin = server::TcpAddress{"127.0.0.1", 9901};
  Upstream upstream;
  /// `full`: WebSockets are let through.
  bool upgrades = false;
  /// `envoy_gateway`, `istio`.
  std::string kubernetes_namespace = "default";
  std::optional<KubernetesTarget> target;
  /// `envoy_gateway`: the Gateway, where `target` is something else.
  std::string gateway = "gateway";
};

/// Where Envoy looks for the file of `sds_ca` or `sds_certificate`.
std::string sds_file(const ProcessorTls& tls, Format format);

/// The filters and clusters of the processors, in order, as YAML with comments. Throws Error where
/// the format cannot express what is asked for.
std::string write(Format format, std::vector<Processor> processors, const DocumentOptions& options);

}  // namespace extproc::envoy_config
