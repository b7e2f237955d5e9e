#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

#include "extproc/testing/envoy.h"

namespace extproc::testing::cases {

/// Where the library and Envoy's half of the kit disagree about which header changes Envoy keeps
/// out, though the filter's mutation_rules say no more than the library can be told; empty where
/// they agree. The library may name more than Envoy came to refuse where Envoy refused the whole
/// answer, or never took it.
std::string disagreement(const YAML::Node& filter, const EnvoyResult& result);

}  // namespace extproc::testing::cases
