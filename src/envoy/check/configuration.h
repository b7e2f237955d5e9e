#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

#include "envoy/filter_config.h"

namespace extproc::envoy_config {

/// An http_filters entry of ext_proc.
struct Filter {
  std::string name;
  /// Where the fields `name` and `typed_config` stand.
  Place name_key;
  Place config_key;
  FilterConfig config;
  std::vector<Problem> problems;
  /// A router stands before it.
  bool after_router = false;
};

/// The ext_proc filters of one connection manager, in order.
using FilterChain = std::vector<Filter>;

/// An ExtProcPerRoute, and the filter that it is for.
struct RouteOverride {
  std::string filter;
  Place key;
  RouteConfig config;
  std::vector<Problem> problems;
};

/// What a configuration has that concerns external processors, wherever it stands in the text.
struct Configuration {
  std::vector<FilterChain> chains;
  std::vector<RouteOverride> overrides;
  std::vector<YAML::Node> clusters;
  /// It is not only a piece, without the clusters of the whole.
  bool is_complete = false;

  /// Not defined when there is none.
  YAML::Node cluster(const std::string& name) const;
};

/// Throws Error when the text is no YAML.
Configuration read_configuration(const std::string& yaml);

}  // namespace extproc::envoy_config
