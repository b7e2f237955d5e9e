#include "envoy/write/documents.h"

#include <cctype>

#include "envoy/write/document_parts.h"
#include "extproc/error.h"

namespace extproc::envoy_config {
namespace {

bool is_upper(char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; }

bool is_sds(Format format) { return format == Format::sds_ca || format == Format::sds_certificate; }

void require_writable(Format format, const Processor& processor, const DocumentOptions& options) {
  if (processor.in_process && format != Format::filter && format != Format::full) {
    throw Error(
        "--format " + std::string(to_string(format)) +
        " is for a processor outside of Envoy: with --in-process there are filter and full");
  }
  if (processor.in_process && options.tls) {
    throw Error(
        "--in-process needs no TLS, since nothing goes over a network: leave its flags out");
  }
  if (options.tls) {
    require_tls(format, processor, *options.tls);
  } else if (is_sds(format)) {
    throw Error("--format " + std::string(to_string(format)) +
                " writes what TLS needs: give --tls and its other flags too, as for the cluster");
  }
  require_consistent(processor.needs);
  const ProcessingMode mode = needed_mode(processor.needs);
  if (mode.has_full_duplex() && options.failure_mode_allow) {
    throw Error(
        "failure_mode_allow cannot be kept with FULL_DUPLEX_STREAMED: what Envoy has handed over "
        "is "
        "lost when the processor fails; leave out --failure-mode-allow, or choose another body "
        "mode");
  }
}

void write_filters(YamlWriter& out, const std::vector<Processor>& processors,
                   const DocumentOptions& options) {
  write_title(out, "For http_filters, before the router", processors);
  for (const Processor& processor : processors) {
    const auto item = out.item("name: " + scalar(processor.cluster));
    write_filter(out, processor, options);
  }
}

void write_clusters(YamlWriter& out, const std::vector<Processor>& processors,
                    const DocumentOptions& options) {
  write_title(out, "For static_resources.clusters", processors);
  for (const Processor& processor : processors) {
    const auto item = out.item("name: " + scalar(processor.cluster));
    write_cluster(out, processor, options);
  }
}

}  // namespace

std::string_view to_string(Format format) {
  switch (format) {
    case Format::filter:
      return "filter";
    case Format::cluster:
      return "cluster";
    case Format::full:
      return "full";
    case Format::envoy_gateway:
      return "envoy-gateway";
    case Format::istio:
      return "istio";
    case Format::sds_ca:
      return "sds-ca";
    case Format::sds_certificate:
      return "sds-certificate";
  }
  return "";
}

std::string cluster_name(std::string_view processor) {
  std::string name;
  for (std::size_t i = 0; i < processor.size(); ++i) {
    const char c = processor[i];
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      if (!name.empty() && name.back() != '-') name += '-';
      continue;
    }
    const bool begins_word =
        is_upper(c) && i > 0 &&
        (!is_upper(processor[i - 1]) || (i + 1 < processor.size() && !is_upper(processor[i + 1])));
    if (begins_word && !name.empty() && name.back() != '-') name += '-';
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "extproc" : name;
}

std::string write(Format format, std::vector<Processor> processors,
                  const DocumentOptions& options) {
  for (Processor& processor : processors)
    processor.needs.failure_mode_allow = options.failure_mode_allow;
  for (const Processor& processor : processors) require_writable(format, processor, options);
  YamlWriter out;
  switch (format) {
    case Format::filter:
      write_filters(out, processors, options);
      break;
    case Format::cluster:
      write_clusters(out, processors, options);
      break;
    case Format::full:
      write_full(out, processors, options);
      break;
    case Format::envoy_gateway:
      write_envoy_gateway(out, processors, options);
      break;
    case Format::istio:
      write_istio(out, processors, options);
      break;
    case Format::sds_ca:
    case Format::sds_certificate:
      write_sds(out, format, options.tls.value());
      break;
  }
  return std::move(out).take();
}

}  // namespace extproc::envoy_config
