#pragma once

#include <string>
#include <vector>

#include "envoy/filter_config.h"

namespace YAML {
class Node;
}

namespace extproc::envoy_config {

/// What the filter of processors inside Envoy is told, with the reasons of its own for which it
/// would refuse that.
struct InProcessConfig {
  FilterConfig config{};
  /// The names of its processors.
  std::vector<std::string> processors{};
};

/// Whether an entry of `http_filters` is a DynamicModuleFilter of this library's module.
bool is_in_process(const YAML::Node& entry);
/// Of the message in one that is_in_process().
InProcessConfig read_in_process(const YAML::Node& message, std::vector<Problem>& problems);

/// What a route says of such a filter, in place of what that says.
struct InProcessRoute : InProcessConfig {
  bool disabled = false;
};

/// Whether it is a DynamicModuleFilterPerRoute of this library's module, perhaps in a FilterConfig,
/// which `config` then is not.
bool is_in_process_route(YAML::Node& config);
/// Of one that is_in_process_route().
InProcessRoute read_in_process_route(const YAML::Node& message, std::vector<Problem>& problems);

}  // namespace extproc::envoy_config
