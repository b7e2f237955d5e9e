#pragma once

#include <cstdint>
#include <optional>
#include <regex>
#include <string_view>

namespace extproc::testing::envoy {

/// `envoy.config.common.mutation_rules.v3.HeaderMutationRules`.
struct MutationRules {
  enum class Operation : std::uint8_t { set, append, remove };

  bool allow_all_routing = false;
  bool allow_envoy = false;
  bool disallow_system = false;
  bool disallow_all = false;
  bool disallow_is_error = false;
  std::optional<std::regex> allow_expression;
  std::optional<std::regex> disallow_expression;

  /// `name` in lower case. Null when it is allowed, else why it is not.
  const char* refuse(Operation operation, std::string_view name, std::string_view value) const;
};

}  // namespace extproc::testing::envoy
