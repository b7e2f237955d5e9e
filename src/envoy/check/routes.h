#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "envoy/filter_config.h"

namespace YAML {
class Node;
}

namespace extproc::envoy_config {

/// A body may have as many bytes before Envoy holds no more of it.
struct BufferLimit {
  /// The name of what says so.
  std::string field;
  Place place;
  std::uint64_t bytes = 0;
  /// It is for requests alone.
  bool of_requests = false;
};

/// A kind of request that goes on in both directions and has no end of its own: an upgrade, or
/// CONNECT.
struct Upgrade {
  std::string type;
  Place place;
  bool enabled = true;
  /// The manager's filters do not see it.
  bool has_filters = false;

  bool is_connect() const { return type.starts_with("connect"); }
};

/// What is said of filters, by their names.
using FilterOverrides = std::map<std::string, RouteConfig>;

/// One route, as far as it is of interest to a filter.
struct Route {
  /// Of its `route`, with which it forwards to a cluster; nowhere when it answers by itself.
  Place forwards{};
  /// Those that it says something of itself.
  std::vector<Upgrade> upgrades{};
  /// Where its match asks for CONNECT, or for gRPC.
  Place connect{};
  Place grpc{};
  /// Of `timeout`.
  Place timeout{};
  std::vector<BufferLimit> request_buffers{};
  /// The most general first.
  std::vector<std::shared_ptr<const FilterOverrides>> overrides{};

  /// What the filter sends of requests on this route.
  ProcessingMode mode_of(const std::string& filter, const FilterConfig& config) const;
};

/// Of a connection manager or a `route`.
std::vector<Upgrade> read_upgrades(const YAML::Node& message);

/// Of a RouteConfiguration.
std::vector<Route> read_routes(const YAML::Node& route_config);

/// Whether it is an ExtProcPerRoute, perhaps in a FilterConfig, which `config` then is not.
bool is_per_route(YAML::Node& config);

}  // namespace extproc::envoy_config
