#pragma once

#include <set>
#include <string>
#include <string_view>

namespace extproc::completeness {

/// The fields and enum values that a serialised ProcessingResponse holds, as libprotobuf reads
/// them: "CommonResponse.status", "ResponseStatus.CONTINUE_AND_REPLACE". Fails the test when it
/// cannot.
std::set<std::string> written(std::string_view response);

/// All that a ProcessingResponse can hold. Struct's own fields (JSON), and StatusCode's values,
/// which are numbers to the library, are left to other tests.
std::set<std::string> all_fields();

}  // namespace extproc::completeness
