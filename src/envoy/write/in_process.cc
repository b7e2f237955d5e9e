// A processor inside Envoy, in the filter of dynamic modules.
#include <algorithm>
#include <cstddef>
#include <string>

#include "envoy/filter_config.h"
#include "envoy/write/document_parts.h"
#include "rules/header_rules.h"
#include "rules/needs.h"

namespace extproc::envoy_config {
namespace {

constexpr std::string_view kTypesOfModules =
    "extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter";

void write_module(YamlWriter& out) {
  out.comment(
      "libextproc_envoy.so, from a folder that ENVOY_DYNAMIC_MODULES_SEARCH_PATH names in Envoy's "
      "environment.");
  out.line("dynamic_module_config: { name: " + std::string(kEnvoyModule) +
           ", metrics_namespace: extproc }");
}

void write_chain_header(YamlWriter& out, const Needs& needs) {
  if (needs.chain_header.empty()) return out.field("reveal_chain", "false");
  if (needs.chain_header != rules::kChainHeader)
    out.field("applied_header", scalar(needs.chain_header));
}

/// A number or a word that no reader takes for another.
bool is_plain(const std::string& text) {
  if (text == "true" || text == "false") return true;
  // Beyond, the numbers of a google.protobuf.Struct are not exact.
  constexpr std::size_t kMostDigits = 15;
  const bool all_digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return all_digits && !text.empty() && text.size() <= kMostDigits &&
         (text.size() == 1 || text.front() != '0');
}

/// As YAML in one line.
std::string on_one_line(const detail::SettingNode& node) {
  using Kind = detail::SettingNode::Kind;
  if (node.kind == Kind::nothing) return "null";
  if (node.kind == Kind::scalar)
    return !node.quoted && is_plain(node.text) ? node.text : quoted(node.text);
  const bool is_list = node.kind == Kind::list;
  std::string all;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    all += all.empty() ? "" : ", ";
    if (!is_list) all += quoted(node.keys[i].name) + ": ";
    all += on_one_line(node.items[i]);
  }
  return is_list ? "[" + all + "]" : all.empty() ? "{}" : "{ " + all + " }";
}

/// What the module reads, of which most has the names of ext_proc's filter.
void write_config(YamlWriter& out, const Processor& processor, const ProcessingMode& mode,
                  const DocumentOptions& options) {
  const auto config = out.block("filter_config");
  out.line("\"@type\": type.googleapis.com/google.protobuf.Struct");
  const auto value = out.block("value");
  {
    const auto processors = out.block("processors");
    for (const auto& [name, settings] : processor.in_process->processors) {
      const auto item = out.item("name: " + scalar(name));
      if (!settings.items.empty()) out.field("settings", on_one_line(settings));
    }
  }
  if (!processor.in_process->module_path.empty())
    out.field("module_path", list(processor.in_process->module_path));
  write_failure_mode(out, options);
  const FilterSettings filter = rules::filled_in(processor.needs.filter, processor.needs.stated);
  write_mutation_rules(out, filter);
  write_stated(out, processor.needs);
  write_content_length(out, filter);
  write_chain_header(out, processor.needs);
  out.comment("Only what the processor handles.");
  write_mode(out, processor.needs, mode);
}

}  // namespace

void write_in_process(YamlWriter& out, const Processor& processor, const DocumentOptions& options) {
  const auto block = out.block("typed_config");
  write_type(out, kTypesOfModules);
  write_module(out);
  out.field("filter_name", scalar(processor.cluster));
  write_config(out, processor, needed_mode(processor.needs), options);
}

void write_in_process_route(YamlWriter& out, const Processor& processor, const ProcessingMode& mode,
                            const DocumentOptions& options) {
  write_type(out, std::string(kTypesOfModules) + "PerRoute");
  write_module(out);
  out.field("per_route_config_name", scalar(processor.cluster));
  write_config(out, processor, mode, options);
}

}  // namespace extproc::envoy_config
