#pragma once

#include <string_view>

#include "envoy/mutation_rules.h"

namespace extproc::testing::envoy {

using envoy_config::MutationRules;

/// Why the rules do not let a header be changed; null when they do. `name` in lower case;
/// `replaces_message`: in an answer with CONTINUE_AND_REPLACE.
const char* denial(const MutationRules& rules, HeaderMutation::Operation operation,
                   std::string_view name, std::string_view value, bool replaces_message = false);

}  // namespace extproc::testing::envoy
