#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

#include "envoy/setting.h"

namespace extproc::envoy_config {

/// The documents of a text. Throws Error, with line and column, when it is no YAML, or where its
/// aliases stand for more than could be read in time, or for themselves.
std::vector<YAML::Node> parse_documents(const std::string& yaml);

/// What no reader of Envoy's takes for what its author means by it: merge keys, and placeholders of
/// a template. For documents of parse_documents().
std::vector<Problem> refused_of(const std::vector<YAML::Node>& documents);

}  // namespace extproc::envoy_config
