#include "envoy/check/routes.h"

#include <algorithm>

#include "base/header_name.h"
#include "envoy/check/in_process.h"
#include "envoy/filter_reader.h"
#include "envoy/message_reader.h"
#include "envoy/yaml_node.h"

namespace extproc::envoy_config {
namespace {

std::string in_lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), lower_case);
  return text;
}

using OverrideLevels = std::vector<std::shared_ptr<const FilterOverrides>>;

/// `levels`, and what `message` says of filters.
OverrideLevels with_level(OverrideLevels levels, const YAML::Node& message) {
  const YAML::Node all = field(message, "typed_per_filter_config").value;
  if (!all.IsDefined() || !all.IsMap()) return levels;
  FilterOverrides overrides;
  for (const auto& entry : all) {
    YAML::Node config = entry.second;
    std::vector<Problem> told_elsewhere;
    if (is_per_route(config)) {
      overrides.emplace(text(entry.first), read_route_config(config, told_elsewhere));
    } else if (is_in_process_route(config)) {
      const InProcessRoute route = read_in_process_route(config, told_elsewhere);
      RouteConfig said;
      said.disabled.value = route.disabled;
      said.processing_mode = route.config.processing_mode;
      overrides.emplace(text(entry.first), std::move(said));
    } else if (is_true(at(entry.second, {"disabled"}))) {
      RouteConfig off;
      off.disabled.value = true;
      overrides.emplace(text(entry.first), std::move(off));
    }
  }
  if (!overrides.empty())
    levels.push_back(std::make_shared<const FilterOverrides>(std::move(overrides)));
  return levels;
}

/// Where a match of headers asks for gRPC's content type.
Place grpc_headers(const YAML::Node& match) {
  for (const YAML::Node& header : items(field(match, "headers").value)) {
    if (in_lower_case(text(field(header, "name").value)) != "content-type") continue;
    for (const YAML::Node& value :
         {at(header, {"string_match", "exact"}), at(header, {"string_match", "prefix"}),
          at(header, {"exact_match"}), at(header, {"prefix_match"})}) {
      if (text(value).starts_with("application/grpc")) return place_of(header);
    }
  }
  return {};
}

Route read_route(const YAML::Node& message, const OverrideLevels& general) {
  Route route;
  const YAML::Node match = field(message, "match").value;
  const Field action = field(message, "route");
  route.forwards = place_of(action.key);
  route.upgrades = read_upgrades(action.value);
  route.connect = place_of(field(match, "connect_matcher").key);
  route.grpc = place_of(field(match, "grpc").key);
  if (!route.grpc) route.grpc = grpc_headers(match);
  route.timeout = place_of(field(action.value, "timeout").key);
  for (const char* name : {"per_request_buffer_limit_bytes", "request_body_buffer_limit"}) {
    if (const auto limit = number(field(message, name).value))
      route.request_buffers.push_back({name, place_of(field(message, name).key), *limit, true});
  }
  route.overrides = with_level(general, message);
  return route;
}

}  // namespace

ProcessingMode Route::mode_of(const std::string& filter, const FilterConfig& config) const {
  std::vector<const RouteConfig*> said;
  for (const auto& level : overrides) {
    const auto found = level->find(filter);
    if (found != level->end()) said.push_back(&found->second);
  }
  return mode_on_routes(said).value_or(*config.processing_mode);
}

std::vector<Upgrade> read_upgrades(const YAML::Node& message) {
  std::vector<Upgrade> upgrades;
  for (const YAML::Node& entry : items(field(message, "upgrade_configs").value)) {
    const Field type = field(entry, "upgrade_type");
    upgrades.push_back({.type = in_lower_case(text(type.value)),
                        .place = place_of(type ? type.key : entry),
                        .enabled = text(field(entry, "enabled").value) != "false",
                        .has_filters = static_cast<bool>(field(entry, "filters"))});
  }
  return upgrades;
}

std::vector<Route> read_routes(const YAML::Node& route_config) {
  std::vector<Route> routes;
  const OverrideLevels general = with_level({}, route_config);
  for (const YAML::Node& host : items(field(route_config, "virtual_hosts").value)) {
    const OverrideLevels of_host = with_level(general, host);
    for (const YAML::Node& route : items(field(host, "routes").value))
      routes.push_back(read_route(route, of_host));
  }
  return routes;
}

bool is_per_route(YAML::Node& config) {
  if (has_type(config, "route.v3.FilterConfig")) config.reset(field(config, "config").value);
  return has_type(config, "ext_proc.v3.ExtProcPerRoute");
}

}  // namespace extproc::envoy_config
