#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

namespace extproc::envoy_config {

/// An http_filters entry of ext_proc.
struct Filter {
  std::string name;
  YAML::Node entry;
  /// Its ExternalProcessor.
  YAML::Node config;
  /// A router stands before it.
  bool after_router = false;
};

/// The ext_proc filters of one connection manager, in order.
using FilterChain = std::vector<Filter>;

/// An ExtProcPerRoute, and the filter that it is for.
struct RouteOverride {
  std::string filter;
  YAML::Node key;
  YAML::Node config;
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
