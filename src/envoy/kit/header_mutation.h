#pragma once

#include <optional>
#include <string>

#include "envoy/kit/header_map.h"
#include "envoy/kit/mutation_rules.h"
#include "envoy/kit/record.h"
#include "envoy/kit/reply.h"

namespace extproc::testing::envoy {

/// How a HeaderMutation is to be taken.
struct MutationContext {
  const MutationRules& rules;
  Record& record;
  std::optional<Phase> phase;
  /// CONTINUE_AND_REPLACE: `:method` may be changed.
  bool replacing = false;
  /// content-length is Envoy's business.
  bool keep_content_length_out = false;
};

/// Changes `headers` as Envoy does. The error in Envoy's words, when it is one; what was applied
/// until then stays.
std::optional<std::string> apply_mutation(const Mutation& mutation, HeaderMap& headers,
                                          const MutationContext& context);

}  // namespace extproc::testing::envoy
