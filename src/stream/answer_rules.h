#pragma once

#include <string_view>

#include "extproc/header_mutation.h"
#include "extproc/immediate_response.h"
#include "extproc/rule.h"
#include "extproc/settings.h"

namespace extproc::stream {

/// Told of each rule that an answer breaks.
class ViolationListener {
 public:
  virtual void on_violation(Rule rule, std::string_view field) = 0;

 protected:
  ~ViolationListener() = default;
};

/// What becomes of an answer that breaks the rule, and what to do.
std::string_view advice(Rule rule);

/// Looks for what Envoy would refuse or ignore. `replaces_message`: with CONTINUE_AND_REPLACE,
/// where
/// ":method" may be set.
void check_mutation(const HeaderMutation& mutation, bool replaces_message,
                    const FilterSettings& filter, ViolationListener& listener);

/// The same for an immediate response; mends its status.
void check_immediate(ImmediateResponse& response, const FilterSettings& filter,
                     ViolationListener& listener);

}  // namespace extproc::stream
