#pragma once

#include <span>
#include <string_view>

#include "extproc/metrics.h"
#include "metrics/families.h"

namespace extproc::metrics {

// Each throws Error, which begins with the name, where what it looks at is not right.

void check_name(std::string_view name, Kind kind);
void check_help(std::string_view name, std::string_view help);
/// Sorted by their names.
void check_labels(std::string_view name, Kind kind, const Labels& sorted);
void check_bounds(std::string_view name, std::span<const double> bounds);

}  // namespace extproc::metrics
