#pragma once

#include <optional>
#include <regex>
#include <string_view>

#include "extproc/header_mutation.h"
#include "rules/header_rules.h"

namespace extproc::testing::envoy {

/// `envoy.config.common.mutation_rules.v3.HeaderMutationRules`.
struct MutationRules {
  using Operation = HeaderMutation::Operation;

  rules::HeaderRules by_name;
  bool disallow_is_error = false;
  std::optional<std::regex> allow_expression;
  std::optional<std::regex> disallow_expression;

  /// `name` in lower case; `replaces_message`: in an answer with CONTINUE_AND_REPLACE. Null when it
  /// is allowed, else why it is not.
  const char* refuse(Operation operation, std::string_view name, std::string_view value,
                     bool replaces_message = false) const;
};

}  // namespace extproc::testing::envoy
