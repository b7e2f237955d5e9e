#pragma once

#include <string>

#include "envoy/kit/cases/case_file.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing::cases {

/// What came of a case as one line of JSON, in the form of harness/case_outcome.py. Of a processor
/// of the library what it said of its answers stands in place of the messages.
std::string outcome_line(const Case& played, const EnvoyResult& result);

}  // namespace extproc::testing::cases
