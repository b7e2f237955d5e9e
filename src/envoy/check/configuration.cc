#include "envoy/check/configuration.h"

#include <algorithm>
#include <map>
#include <utility>

#include "envoy/check/in_process.h"
#include "envoy/check/legible.h"
#include "envoy/filter_reader.h"
#include "envoy/message_reader.h"
#include "envoy/yaml_node.h"
#include "extproc/error.h"

namespace extproc::envoy_config {
namespace {

constexpr std::string_view kAdminTypes = "type.googleapis.com/envoy.admin.v3.";

YAML::Node typed_config(const YAML::Node& entry) { return field(entry, "typed_config").value; }

/// Of either kind.
bool is_processor(const YAML::Node& entry) {
  return has_type(typed_config(entry), "ext_proc.v3.ExternalProcessor") || is_in_process(entry);
}

bool is_router(const YAML::Node& entry) {
  return has_type(typed_config(entry), "router.v3.Router");
}

bool is_cluster(const YAML::Node& entry) {
  return field(entry, "load_assignment") || field(entry, "cluster_type") ||
         (field(entry, "connect_timeout") && field(entry, "name"));
}

/// One that decompresses responses.
bool is_decompressor(const YAML::Node& entry) {
  const YAML::Node config = typed_config(entry);
  if (!has_type(config, "decompressor.v3.Decompressor")) return false;
  const YAML::Node enabled =
      at(config, {"response_direction_config", "common_config", "enabled", "default_value"});
  return text(enabled) != "false" && !is_true(field(entry, "disabled").value);
}

bool is_manager(const YAML::Node& node) {
  return field(node, "http_filters") && !has_type(node, "v3.HttpProtocolOptions");
}

bool is_dump(const YAML::Node& configs) {
  return configs.IsDefined() && configs.IsSequence() && configs.size() > 0 &&
         text(field(configs[0], "@type").value).starts_with(kAdminTypes);
}

/// Walks the whole text. What stands in several places through an alias is seen in each.
class Reader {
 public:
  explicit Reader(Configuration& found) : found_(found) {}

  void document(const YAML::Node& root) {
    visit(root);
    if (!loose_.filters.empty()) found_.chains.push_back(std::move(loose_));
    loose_ = {};
  }

  /// After all documents.
  void done() {
    Manager any;
    for (FilterChain& chain : found_.chains) find_routes(chain.manager);
    for (Manager& manager : managers_) {
      find_routes(manager);
      any.upgrades.insert(any.upgrades.end(), manager.upgrades.begin(), manager.upgrades.end());
      any.routes.insert(any.routes.end(), manager.routes.begin(), manager.routes.end());
    }
    for (const std::size_t index : outside_) found_.chains[index].manager = any;
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
    std::vector<BufferLimit> buffers;
    bool after_router = false;
    for (const YAML::Node& entry : node) {
      if (is_processor(entry)) {
        chain.filters.push_back(filter(entry, after_router));
        chain.filters.back().buffers = buffers;
      }
      if (is_router(entry)) after_router = true;
      if (is_decompressor(entry)) {
        for (Filter& filter : chain.filters)
          filter.decompressors.push_back(place_of(field(entry, "name").key));
      }
      if (is_cluster(entry)) found_.clusters.push_back(entry);
      if (has_type(typed_config(entry), "buffer.v3.Buffer"))
        add_limit(typed_config(entry), "max_request_bytes", true, buffers);
      in_sequence_ = true;
      visit(entry);
    }
    if (!chain.filters.empty()) add(std::move(chain));
  }

  void add(FilterChain chain) {
    if (manager_ != nullptr && !in_upstream_) {
      chain.manager = *manager_;
    } else {
      outside_.push_back(found_.chains.size());
    }
    found_.chains.push_back(std::move(chain));
  }

  void map(const YAML::Node& node) {
    const bool in_sequence = std::exchange(in_sequence_, false);
    // Filters that are patched in one by one, as Istio does, belong to one connection manager.
    if (!in_sequence && is_processor(node)) loose_.filters.push_back(filter(node, false));
    if (!in_sequence && is_cluster(node)) found_.clusters.push_back(node);
    if (const Field overrides = field(node, "typed_per_filter_config"))
      per_route(overrides.value, is_endless(node));
    if (field(node, "static_resources") || field(node, "clusters")) found_.is_complete = true;
    if (const YAML::Node configs = field(node, "configs").value; is_dump(configs)) {
      dump(configs);
    } else if (is_manager(node)) {
      manager(node);
    } else if (field(node, "filter_chains") || field(node, "default_filter_chain")) {
      const std::vector<BufferLimit> outer = std::exchange(listener_buffers_, {});
      add_limit(node, "per_connection_buffer_limit_bytes", false, listener_buffers_);
      entries(node);
      listener_buffers_ = outer;
    } else {
      if (manager_ == nullptr && field(node, "virtual_hosts"))
        named_routes_.emplace(text(field(node, "name").value), read_routes(node));
      entries(node);
    }
  }

  void entries(const YAML::Node& node) {
    const bool of_options = has_type(node, "v3.HttpProtocolOptions");
    for (const auto& entry : node) {
      in_sequence_ = false;
      const std::string key = snake_case(text(entry.first));
      const bool outer = in_upstream_;
      if (key == "upstream_http_filters" || (of_options && key == "http_filters"))
        in_upstream_ = true;
      visit(entry.second);
      in_upstream_ = outer;
    }
  }

  void manager(const YAML::Node& node) {
    Manager manager{.upgrades = read_upgrades(node),
                    .routes = read_routes(field(node, "route_config").value),
                    .routes_name = text(at(node, {"rds", "route_config_name"})),
                    .buffers = listener_buffers_};
    add_limit(at(node, {"http2_protocol_options"}), "initial_stream_window_size", false,
              manager.buffers);
    const Manager* outer = std::exchange(manager_, &manager);
    for (const auto& entry : node) {
      in_sequence_ = false;
      if (snake_case(text(entry.first)) == "upgrade_configs") {
        own_filters(entry.second, manager);
      } else {
        visit(entry.second);
      }
    }
    manager_ = outer;
    managers_.push_back(std::move(manager));
  }

  /// Filters that upgrades of one kind have for themselves.
  void own_filters(const YAML::Node& configs, const Manager& manager) {
    std::vector<Upgrade> upgrades = manager.upgrades;
    std::size_t index = 0;
    for (const YAML::Node& config : items(configs)) {
      Manager own = manager;
      if (index < upgrades.size()) own.upgrades = {upgrades[index++]};
      for (Upgrade& upgrade : own.upgrades) upgrade.has_filters = false;
      const Manager* outer = std::exchange(manager_, &own);
      visit(config);
      manager_ = outer;
    }
  }

  /// Envoy's /config_dump tells some things twice: what the bootstrap and routes in a listener say.
  void dump(const YAML::Node& configs) {
    found_.is_dump = true;
    const auto is = [](const YAML::Node& config, std::string_view name) {
      return text(field(config, "@type").value) == std::string(kAdminTypes) + std::string(name);
    };
    const bool has_listeners = std::any_of(configs.begin(), configs.end(), [&](const auto& one) {
      return is(one, "ListenersConfigDump");
    });
    for (const YAML::Node& config : configs) {
      if (is(config, "ClustersConfigDump")) found_.is_complete = true;
      if (has_listeners && is(config, "BootstrapConfigDump")) continue;
      visit_once(config);
    }
  }

  /// Of what a listener or a cluster is, was, and is to be, the first that is there.
  void visit_once(const YAML::Node& config) {
    for (const auto& entry : config) {
      if (snake_case(text(entry.first)) == "static_route_configs") continue;
      for (const YAML::Node& one : items(entry.second)) {
        const Field states[] = {field(one, "active_state"), field(one, "warming_state"),
                                field(one, "draining_state")};
        const auto* const state = std::ranges::find_if(states, [](const Field& f) { return !!f; });
        visit(state == std::end(states) ? one : state->value);
      }
    }
  }

  Filter filter(const YAML::Node& entry, bool after_router) const {
    const Field name = field(entry, "name");
    const Field config = field(entry, "typed_config");
    Filter filter{.name = text(name.value),
                  .name_key = place_of(name.key),
                  .config_key = place_of(config.key),
                  .config = {},
                  .problems = {},
                  .in_process = is_in_process(entry),
                  .after_router = after_router};
    if (!filter.in_process) {
      filter.config = read_filter_config(config.value, filter.problems);
      return filter;
    }
    InProcessConfig inside = read_in_process(config.value, filter.problems);
    filter.config = std::move(inside.config);
    filter.processors = std::move(inside.processors);
    filter.inside = std::move(inside.inside);
    if (const Field its_own = field(config.value, "filter_config"))
      filter.config_key = place_of(its_own.key);
    return filter;
  }

  /// Of what says something of its filters.
  bool is_endless(const YAML::Node& route) const {
    const YAML::Node match = field(route, "match").value;
    if (field(match, "connect_matcher") || field(match, "grpc")) return true;
    std::vector<Upgrade> upgrades = read_upgrades(field(route, "route").value);
    if (manager_ != nullptr) std::ranges::copy(manager_->upgrades, std::back_inserter(upgrades));
    return std::ranges::any_of(upgrades, &Upgrade::enabled);
  }

  void per_route(const YAML::Node& overrides, bool is_endless) {
    if (!overrides.IsMap()) return;
    for (const auto& entry : overrides) {
      YAML::Node config = entry.second;
      const bool in_process = is_in_process_route(config);
      if (!in_process && !is_per_route(config)) continue;
      RouteOverride override{.filter = text(entry.first),
                             .key = place_of(entry.first),
                             .config = {},
                             .in_process = {},
                             .problems = {},
                             .is_endless = is_endless};
      if (in_process) {
        override.in_process = read_in_process_route(config, override.problems);
      } else {
        override.config = read_route_config(config, override.problems);
      }
      found_.overrides.push_back(std::move(override));
    }
  }

  void add_limit(const YAML::Node& message, const char* name, bool of_requests,
                 std::vector<BufferLimit>& limits) {
    const Field stated = field(message, name);
    if (const auto bytes = number(stated.value))
      limits.push_back({name, place_of(stated.key), *bytes, of_requests});
  }

  void find_routes(Manager& manager) const {
    const auto named = named_routes_.find(manager.routes_name);
    if (manager.routes.empty() && named != named_routes_.end()) manager.routes = named->second;
  }

  Configuration& found_;
  FilterChain loose_;
  bool in_sequence_ = false;
  bool in_upstream_ = false;
  const Manager* manager_ = nullptr;
  std::vector<BufferLimit> listener_buffers_;
  std::vector<Manager> managers_;
  std::map<std::string, std::vector<Route>> named_routes_;
  /// Indices of chains that no connection manager has.
  std::vector<std::size_t> outside_;
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
  const std::vector<YAML::Node> documents = parse_documents(yaml);
  found.refused = refused_of(documents);
  if (!found.refused.empty()) return found;
  Reader reader(found);
  for (const YAML::Node& root : documents) reader.document(root);
  reader.done();
  return found;
}

}  // namespace extproc::envoy_config
