#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

namespace extproc::testing::cases {

/// A serialised ProcessingResponse from protobuf's JSON form, but for its bytes, which are texts
/// here. Throws std::runtime_error when it is not one.
std::string reply_bytes(const YAML::Node& node);

}  // namespace extproc::testing::cases
