#pragma once

#include <string_view>
#include <vector>

#include "envoy/filter_config.h"
#include "envoy/setting.h"
#include "extproc/needs.h"

namespace extproc::envoy_config {

/// What a processor states that a filter lacks, but for the modes of bodies and mode_override. Both
/// names are for people; `otherwise` is where a field would be stated.
std::vector<Problem> unmet_needs(const extproc::Needs& needs, const FilterConfig& filter,
                                 std::string_view processor, std::string_view filter_name,
                                 Place otherwise);

/// And those.
std::vector<Problem> unmet_modes(const extproc::Needs& needs, PhaseSet handled,
                                 const FilterConfig& filter, std::string_view processor,
                                 std::string_view filter_name);

}  // namespace extproc::envoy_config
