#include <iostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/needs.h"
#include "cli/processors.h"
#include "cli/services.h"
#include "envoy/write/documents.h"
#include "extproc/error.h"
#include "settings_file/serve.h"

namespace extproc::cli {
namespace {

using envoy_config::Format;

bool is_kubernetes(Format format) {
  return format == Format::envoy_gateway || format == Format::istio;
}

envoy_config::KubernetesTarget parse_target(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) {
    throw Error("--target \"" + text + "\": it must be Kind/name, as in HTTPRoute/shop");
  }
  return {text.substr(0, slash), text.substr(slash + 1)};
}

envoy_config::DocumentOptions document_options(const ConfigOptions& options) {
  envoy_config::DocumentOptions document;
  document.failure_mode_allow = options.failure_mode_allow;
  document.listen = envoy_config::parse_listener("--listen", options.listen);
  document.admin = envoy_config::parse_listener("--admin", options.admin);
  document.upstream = envoy_config::parse_upstream("--upstream", options.upstream);
  const bool istio = options.format == Format::istio;
  document.kubernetes_namespace =
      options.kubernetes_namespace.value_or(istio ? "istio-system" : "default");
  if (options.target) document.target = parse_target(*options.target);
  document.gateway = options.gateway;
  document.tls = options.tls;
  return document;
}

/// Where Envoy, on the same machine, reaches what listens there.
std::string reached(const server::ListenAddress& address) {
  const auto* tcp = std::get_if<server::TcpAddress>(&address);
  if (tcp == nullptr) return to_string(address);
  const bool anywhere = tcp->any_host || tcp->host == "::" || tcp->host == "0.0.0.0";
  return anywhere ? "127.0.0.1:" + std::to_string(tcp->port) : to_string(address);
}

/// As a filter inside Envoy loads them.
envoy_config::InProcess inside_of(const settings_file::Described& service) {
  envoy_config::InProcess inside{.module_path = absolute_folders(service.module_path)};
  for (const auto& processor : service.planned) {
    if (processor.name.empty())
      throw Error("a service without processors has nothing to run inside Envoy: name some");
    inside.processors.push_back({processor.name, processor.own});
  }
  return inside;
}

/// The processors of a settings file, and where they are as far as no flag says so.
std::vector<envoy_config::Processor> processors_of_file(const ConfigOptions& options,
                                                        Placement placement) {
  settings_file::Overlay flags;
  const auto& modes = options.filter.allowed_override_modes;
  if (!modes.empty())
    flags.common.overrides = {.modes = modes, .source = "--allowed-override-mode"};
  const bool places = placement.addresses.empty() && !placement.kubernetes_namespace;
  std::vector<envoy_config::Needs> needs;
  std::vector<envoy_config::InProcess> inside;
  for (const auto& service : settings_file::describe(source_of(options.which, std::move(flags)))) {
    if (options.needs.in_process) {
      inside.push_back(inside_of(service));
    } else if (service.speaks_tls && !options.tls) {
      throw Error(options.which.settings_file +
                  " has the server speak TLS: add --tls-ca FILE, with the CA of its certificate");
    }
    FilterSettings filter = service.configuration.filter;
    filter.allow_mode_override |= options.filter.allow_mode_override;
    needs.push_back(envoy_config::together(needs_of_each(
        service.processors, service.configuration.chain_header, options.needs, filter)));
    if (places) placement.addresses.push_back(reached(service.configuration.address));
  }
  auto processors = place(needs, placement);
  for (std::size_t i = 0; i < inside.size(); ++i) processors[i].in_process = std::move(inside[i]);
  return processors;
}

/// The same of flags.
std::vector<envoy_config::Processor> processors_of_flags(const ConfigOptions& options,
                                                         const Placement& placement) {
  auto processors = place(needs_of(options.which, options.needs, options.filter), placement);
  if (options.needs.in_process) put_inside(processors, options.which);
  return processors;
}

}  // namespace

int run(const ConfigOptions& options) {
  const auto document = document_options(options);
  Placement placement{options.addresses, options.cluster_names, std::nullopt};
  if (is_kubernetes(options.format)) {
    placement.kubernetes_namespace = options.kubernetes_namespace.value_or("default");
  }
  const auto processors = options.which.settings_file.empty()
                              ? processors_of_flags(options, placement)
                              : processors_of_file(options, placement);
  std::cout << envoy_config::write(options.format, processors, document);
  std::cout.flush();
  if (!std::cout) throw Error("the configuration could not be written to standard output");
  return 0;
}

}  // namespace extproc::cli
