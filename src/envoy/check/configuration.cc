#include "envoy/check/configuration.h"

#include <utility>

#include "envoy/filter_reader.h"
#include "envoy/message_reader.h"
#include "envoy/yaml_node.h"
#include "extproc/error.h"

namespace extproc::envoy_config {
namespace {

constexpr std::string_view kExternalProcessor = "ext_proc.v3.ExternalProcessor";

bool is_ext_proc(const YAML::Node& entry) {
  return has_type(field(entry, "typed_config").value, kExternalProcessor);
}

bool is_router(const YAML::Node& entry) {
  return has_type(field(entry, "typed_config").value, "router.v3.Router");
}

bool is_cluster(const YAML::Node& entry) {
  return field(entry, "load_assignment") || field(entry, "cluster_type") ||
         (field(entry, "connect_timeout") && field(entry, "name"));
}

/// Walks the whole text. What stands in several places through an alias is seen in each.
class Reader {
 public:
  explicit Reader(Configuration& found) : found_(found) {}

  void document(const YAML::Node& root) {
    visit(root);
    if (!loose_.empty()) found_.chains.push_back(loose_);
  }

 private:
  void visit(const YAML::Node& node) {
    if (node.IsSequence()) {
      sequence(node);
    } else if (node.IsMap()) {
      map(node);
    }
  }

  void sequence(const YAML::Node& node) {
    FilterChain chain;
    bool after_router = false;
    for (const YAML::Node& entry : node) {
      if (is_ext_proc(entry)) chain.push_back(filter(entry, after_router));
      if (is_router(entry)) after_router = true;
      if (is_cluster(entry)) found_.clusters.push_back(entry);
      in_sequence_ = true;
      visit(entry);
    }
    if (!chain.empty()) found_.chains.push_back(chain);
  }

  void map(const YAML::Node& node) {
    const bool in_sequence = std::exchange(in_sequence_, false);
    // Filters that are patched in one by one, as Istio does, belong to one connection manager.
    if (!in_sequence && is_ext_proc(node)) loose_.push_back(filter(node, false));
    if (!in_sequence && is_cluster(node)) found_.clusters.push_back(node);
    if (const Field overrides = field(node, "typed_per_filter_config")) per_route(overrides.value);
    if (field(node, "static_resources") || field(node, "clusters")) found_.is_complete = true;
    for (const auto& entry : node) {
      in_sequence_ = false;
      visit(entry.second);
    }
  }

  static Filter filter(const YAML::Node& entry, bool after_router) {
    const Field name = field(entry, "name");
    const Field config = field(entry, "typed_config");
    Filter filter{.name = text(name.value),
                  .name_key = place_of(name.key),
                  .config_key = place_of(config.key),
                  .config = {},
                  .problems = {},
                  .after_router = after_router};
    filter.config = read_filter_config(config.value, filter.problems);
    return filter;
  }

  void per_route(const YAML::Node& overrides) {
    if (!overrides.IsMap()) return;
    for (const auto& entry : overrides) {
      YAML::Node config = entry.second;
      if (has_type(config, "route.v3.FilterConfig")) config.reset(field(config, "config").value);
      if (!has_type(config, "ext_proc.v3.ExtProcPerRoute")) continue;
      RouteOverride override{
          .filter = text(entry.first), .key = place_of(entry.first), .config = {}, .problems = {}};
      override.config = read_route_config(config, override.problems);
      found_.overrides.push_back(std::move(override));
    }
  }

  Configuration& found_;
  FilterChain loose_;
  bool in_sequence_ = false;
};

}  // namespace

YAML::Node Configuration::cluster(const std::string& name) const {
  for (const YAML::Node& cluster : clusters) {
    if (text(field(cluster, "name").value) == name) return cluster;
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

Configuration read_configuration(const std::string& yaml) {
  Configuration found;
  try {
    for (const YAML::Node& root : YAML::LoadAll(yaml)) Reader(found).document(root);
  } catch (const YAML::Exception& error) {
    throw Error("line " + std::to_string(error.mark.line + 1) + ", column " +
                std::to_string(error.mark.column + 1) +
                ": it is not YAML that Envoy would read: " + error.msg);
  }
  return found;
}

}  // namespace extproc::envoy_config
