#include "envoy/write/document_parts.h"

namespace extproc::envoy_config {
namespace {

void write_untyped(YamlWriter& out, std::string_view which, const std::vector<std::string>& names) {
  if (names.empty()) return;
  const auto block = out.block(which);
  out.field("untyped", list(names));
}

}  // namespace

std::string list(const std::vector<std::string>& texts) {
  std::string line;
  for (const std::string& text : texts) line += (line.empty() ? "" : ", ") + scalar(text);
  return "[" + line + "]";
}

void write_stated(YamlWriter& out, const Needs& processor) {
  const extproc::Needs& needs = processor.stated;
  if (needs.observability_mode) {
    out.comment("The processor only looks: no request waits for it.");
    out.field("observability_mode", "true");
  }
  if (sends_body_unasked(processor)) {
    out.comment("The body is sent beside its headers, before these are answered.");
    out.field("send_body_without_waiting_for_header_response", "true");
  }
  if (!needs.request_attributes.empty() || !needs.response_attributes.empty())
    out.comment("What handlers ask Context::attribute for.");
  if (!needs.request_attributes.empty())
    out.field("request_attributes", list(needs.request_attributes));
  if (!needs.response_attributes.empty())
    out.field("response_attributes", list(needs.response_attributes));
  if (needs.metadata_read.empty() && needs.metadata_set.empty()) return;
  out.comment("Namespaces of dynamic metadata that the processor reads, and that it sets.");
  const auto options = out.block("metadata_options");
  write_untyped(out, "forwarding_namespaces", needs.metadata_read);
  write_untyped(out, "receiving_namespaces", needs.metadata_set);
}

}  // namespace extproc::envoy_config
