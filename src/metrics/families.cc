#include "metrics/families.h"

#include <algorithm>

namespace extproc::metrics {
namespace {

void add_to(Distribution& sum, const Distribution& more) {
  if (sum.bounds != more.bounds) return;
  for (std::size_t i = 0; i < sum.counts.size(); ++i) sum.counts[i] += more.counts[i];
  sum.sum += more.sum;
  sum.exemplars.resize(sum.counts.size());
  for (std::size_t i = 0; i < more.exemplars.size(); ++i) {
    auto& kept = sum.exemplars[i];
    const auto& other = more.exemplars[i];
    if (other && (!kept || kept->time < other->time)) kept = other;
  }
}

}  // namespace

void Family::add(LabelPairs labels, double value, Join join) {
  const auto found = std::ranges::find(series, labels, &Series::labels);
  if (found == series.end()) return series.push_back({std::move(labels), value, {}});
  double& its = found->value;
  its = join == Join::sum     ? its + value
        : join == Join::least ? std::min(its, value)
                              : std::max(its, value);
}

void Family::add(LabelPairs labels, Distribution distribution) {
  const auto found = std::ranges::find(series, labels, &Series::labels);
  if (found == series.end())
    return series.push_back({std::move(labels), 0, std::move(distribution)});
  add_to(found->distribution, distribution);
}

Family& Families::get(std::string_view name, Kind kind, std::string_view help) {
  const auto found = std::ranges::find(all_, name, &Family::name);
  if (found != all_.end()) return *found;
  return all_.emplace_back(Family{std::string(name), kind, std::string(help)});
}

}  // namespace extproc::metrics
