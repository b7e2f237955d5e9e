#include "envoy/mutation_rules.h"

namespace extproc::envoy_config {

std::optional<rules::HeaderVerdict> MutationRules::decide(Operation operation,
                                                          std::string_view name,
                                                          bool replaces_message) const {
  if (const auto fixed = rules::fixed_verdict(operation, name, replaces_message)) return fixed;
  if (disallow_expression->matches(name)) return std::nullopt;
  if (allow_expression->matches(name)) return rules::HeaderVerdict::made;
  return rules::header_verdict(operation, name, replaces_message, by_name);
}

}  // namespace extproc::envoy_config
