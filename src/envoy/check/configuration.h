#pragma once

#include <yaml-cpp/yaml.h>

#include <optional>
#include <string>
#include <vector>

#include "envoy/check/in_process.h"
#include "envoy/check/routes.h"
#include "envoy/filter_config.h"

namespace extproc::envoy_config {

/// An http_filters entry of ext_proc, or of dynamic modules where that is this library's.
struct Filter {
  std::string name;
  /// Where the fields `name` and `typed_config` stand.
  Place name_key;
  Place config_key;
  FilterConfig config;
  std::vector<Problem> problems;
  /// The processor runs inside Envoy.
  bool in_process = false;
  /// Which those are, and what the filter would make of them.
  std::vector<std::string> processors{};
  std::optional<InsideProcessors> inside{};
  /// A router stands before it.
  bool after_router = false;
  /// Where decompressors stand that see a response before it does.
  std::vector<Place> decompressors{};
  /// Of filters in front of it.
  std::vector<BufferLimit> buffers{};
};

/// What a connection manager lets through to its filters. For filters of an upstream cluster, and
/// those that are patched in one by one: what any of them does.
struct Manager {
  std::vector<Upgrade> upgrades{};
  std::vector<Route> routes{};
  /// The name of routes that are not its own.
  std::string routes_name{};
  std::vector<BufferLimit> buffers{};
};

/// The ext_proc filters of one connection manager, in order.
struct FilterChain {
  std::vector<Filter> filters{};
  Manager manager{};
};

/// An ExtProcPerRoute, or what a route says of a filter inside Envoy, and the filter that it is
/// for.
struct RouteOverride {
  std::string filter;
  Place key;
  RouteConfig config;
  std::optional<InProcessRoute> in_process;
  std::vector<Problem> problems;
  /// Requests of it may have no end, so that it may send no bodies on purpose.
  bool is_endless = false;
};

/// What a configuration has that concerns external processors, wherever it stands in the text.
struct Configuration {
  std::vector<FilterChain> chains;
  std::vector<RouteOverride> overrides;
  std::vector<YAML::Node> clusters;
  /// What makes the whole of it unreadable for Envoy; nothing else was read then.
  std::vector<Problem> refused;
  /// It is not only a piece, without the clusters of the whole.
  bool is_complete = false;
  /// Envoy's own /config_dump, which leaves out what has its default.
  bool is_dump = false;

  /// Not defined when there is none.
  YAML::Node cluster(const std::string& name) const;
};

/// Throws Error when the text is no YAML, or stands for more than can be read.
Configuration read_configuration(const std::string& yaml);

}  // namespace extproc::envoy_config
