#pragma once

#include <optional>
#include <string_view>

#include "envoy/setting.h"
#include "envoy/string_matcher.h"
#include "extproc/header_mutation.h"
#include "rules/header_rules.h"

namespace extproc::envoy_config {

/// `envoy.config.common.mutation_rules.v3.HeaderMutationRules`.
struct MutationRules {
  using Operation = HeaderMutation::Operation;

  rules::HeaderRules by_name{};
  /// Where disallow_all is stated.
  Place disallow_all{};
  Setting<bool> disallow_is_error{};
  Setting<Regex> allow_expression{};
  Setting<Regex> disallow_expression{};

  /// What becomes of a change, its value aside; nothing where disallow_expression denies it. `name`
  /// in lower case; `replaces_message`: in an answer with CONTINUE_AND_REPLACE.
  std::optional<rules::HeaderVerdict> decide(Operation operation, std::string_view name,
                                             bool replaces_message) const;
};

}  // namespace extproc::envoy_config
