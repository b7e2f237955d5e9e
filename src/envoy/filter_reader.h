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

/// The same of what the filter of a processor inside Envoy is told (docs/in-envoy.md), but for what
/// ext_proc has not.
FilterConfig read_in_process_config(const YAML::Node& message, std::vector<Problem>& problems);

/// The same of an ExtProcPerRoute.
RouteConfig read_route_config(const YAML::Node& message, std::vector<Problem>& problems);

}  // namespace extproc::envoy_config
