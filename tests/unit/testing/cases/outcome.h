#pragma once

#include <string>

#include "extproc/testing/envoy.h"
#include "testing/cases/case_file.h"

namespace extproc::testing::cases {

/// What came of a case as one line of JSON, in the form of harness/case_outcome.py.
std::string outcome_line(const std::string& name, const EnvoyResult& result);

}  // namespace extproc::testing::cases
