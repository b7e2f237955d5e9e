#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/check/check.h"
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
  /// Nothing where it would refuse what it is told.
  std::optional<InsideProcessors> inside{};
};

/// Why the filter does not take what it is told: in a text of the file's lines, or `otherwise`.
Problem refused_by_filter(Place otherwise, std::string_view why);
/// Whether such a reason is of what the filter is told.
bool is_of_filter_config(std::string_view why);

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
