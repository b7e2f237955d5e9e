#pragma once

#include <string_view>

#include "extproc/filter_settings.h"
#include "extproc/immediate_response.h"
#include "extproc/rule.h"
#include "processor/header_rules.h"

namespace extproc::stream {

/// What becomes of an answer that breaks the rule, and what to do.
std::string_view advice(Rule rule);

/// Looks for what Envoy would refuse or ignore in an immediate response, and mends its status.
void check_immediate(ImmediateResponse& response, const FilterSettings& filter,
                     detail::ViolationListener& listener);

}  // namespace extproc::stream
