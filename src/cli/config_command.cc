#include <iostream>
#include <string>

#include "cli/commands.h"
#include "cli/needs.h"
#include "cli/processors.h"
#include "envoy/write/documents.h"
#include "extproc/error.h"

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

}  // namespace

int run(const ConfigOptions& options) {
  const auto document = document_options(options);
  Placement placement{options.addresses, options.cluster_names, std::nullopt};
  if (is_kubernetes(options.format)) {
    placement.kubernetes_namespace = options.kubernetes_namespace.value_or("default");
  }
  auto processors = place(needs_of(options.which, options.needs, options.filter), placement);
  if (options.needs.in_process) put_inside(processors, options.which);
  std::cout << envoy_config::write(options.format, processors, document);
  std::cout.flush();
  if (!std::cout) throw Error("the configuration could not be written to standard output");
  return 0;
}

}  // namespace extproc::cli
