#pragma once

#include <string_view>

#include "extproc/rule.h"

namespace extproc::rules {

/// What becomes of an answer that breaks the rule, and what to do.
std::string_view advice(Rule rule);

}  // namespace extproc::rules
