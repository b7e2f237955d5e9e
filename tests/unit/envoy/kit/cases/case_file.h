#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

namespace extproc::testing::cases {

/// One case of tests/envoy_cases, laid over what its file and common.yaml say.
struct Case {
  std::string name;
  YAML::Node data;
};

/// All cases of a folder, in the order of files and lines.
std::vector<Case> load_cases(const std::string& folder);

/// A scalar, or "" where there is none.
std::string text_of(const YAML::Node& node, const std::string& fallback = {});
/// The bytes of a text: the files hold latin-1 in UTF-8, so that any byte can be written.
std::string latin1(const std::string& utf8);
/// A scalar without quotes, which may be a number or a boolean.
bool is_plain(const YAML::Node& node);

}  // namespace extproc::testing::cases
