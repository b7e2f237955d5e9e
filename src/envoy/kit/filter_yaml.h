#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>
#include <vector>

#include "envoy/filter_config.h"

namespace extproc::testing::envoy {

/// Throws EnvoyConfigError with the line where it is no YAML.
YAML::Node load_yaml(std::string_view yaml);

/// A filter's configuration: an ExternalProcessor, its typed_config, or an entry of http_filters,
/// alone or as a list of one. Throws EnvoyConfigError where Envoy would not take it, and for what
/// is not played here.
envoy_config::FilterConfig read_filter_config(std::string_view yaml);

/// ExtProcPerRoute messages, each alone; throws as well.
std::vector<envoy_config::RouteConfig> read_route_configs(const std::vector<std::string>& yamls);

}  // namespace extproc::testing::envoy
