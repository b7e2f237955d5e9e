#pragma once

#include <vector>

#include "envoy/filter_config.h"

namespace YAML {
class Node;
}

namespace extproc::envoy_config {

/// Reads an ExternalProcessor, with or without its `@type`. What Envoy does not take is added to
/// `problems`, in no order.
FilterConfig read_filter_config(const YAML::Node& message, std::vector<Problem>& problems);

/// The same of an ExtProcPerRoute.
RouteConfig read_route_config(const YAML::Node& message, std::vector<Problem>& problems);

}  // namespace extproc::envoy_config
