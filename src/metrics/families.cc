#include "metrics/families.h"

#include <algorithm>

namespace extproc::metrics {

Family& Families::get(std::string_view name, Kind kind, std::string_view help) {
  const auto found = std::ranges::find(all_, name, &Family::name);
  if (found != all_.end()) return *found;
  return all_.emplace_back(Family{std::string(name), kind, std::string(help)});
}

}  // namespace extproc::metrics
