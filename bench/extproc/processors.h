#pragma once

#include <extproc/extproc.h>

#include <optional>
#include <string_view>
#include <vector>

namespace bench {

/// The processor of a variant (bench/README.md says what each answers); nothing where there is none
/// of that name.
std::optional<extproc::Service> make_service(std::string_view variant);

/// Six processors that differ in their names and in those of the headers that they set.
std::vector<extproc::Service> make_six();

}  // namespace bench
