#include "metrics/registry.h"

#include <algorithm>
#include <utility>

#include "extproc/error.h"
#include "metrics/names.h"
#include "metrics/thread_cells.h"

namespace extproc::metrics {
namespace {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::counter:
      return "counter";
    case Kind::gauge:
      return "gauge";
    default:
      return "histogram";
  }
}

std::vector<std::string> names_of(const Labels& labels) {
  std::vector<std::string> names;
  for (const auto& label : labels) names.push_back(label.first);
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  if (names.empty()) return "none";
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace

// Never destroyed: what counts may be destroyed later.
Registry& Registry::instance() {
  static auto* const all = new Registry;
  return *all;
}

Registry::OneSeries& Registry::series(Kind kind, std::string_view name, std::string_view help,
                                      Labels labels, std::span<const double> bounds,
                                      std::uint32_t cells) {
  std::ranges::sort(labels);
  check_name(name, kind);
  check_help(name, help);
  check_labels(name, kind, labels);
  if (kind == Kind::histogram) check_bounds(name, bounds);
  const std::lock_guard lock(mutex_);
  const auto found = families_.find(name);
  if (found != families_.end()) {
    const OneFamily& family = found->second;
    const auto differ = [&](std::string_view what) {
      throw Error("the metric \"" + std::string(name) + "\" is there already, " +
                  std::string(what));
    };
    if (family.kind != kind)
      differ("as a " + std::string(name_of(family.kind)) + ": name this " +
             std::string(name_of(kind)) + " otherwise");
    if (family.help != help) differ("with another help, \"" + family.help + "\": give it that");
    if (family.label_names != names_of(labels))
      differ("with the labels " + listed(family.label_names) + ": give it those");
    if (!std::ranges::equal(family.bounds, bounds))
      differ("with other bounds of its buckets: give it the same");
    const auto of_labels = found->second.series.find(labels);
    if (of_labels != found->second.series.end()) return of_labels->second;
  }
  std::uint32_t first = 0;
  if (cells > 0 && series_ < kMostSeries) first = ThreadCells::instance().take(cells);
  if (series_ >= kMostSeries || first == ThreadCells::kNone)
    throw Error("the metric \"" + std::string(name) +
                "\" is one too many: there are at most 10,000 series, of 131,072 values in all. "
                "Does a label take its values from requests?");
  ++series_;
  OneFamily& family = families_[std::string(name)];
  if (found == families_.end()) {
    family.kind = kind;
    family.help = help;
    family.label_names = names_of(labels);
    family.bounds.assign(bounds.begin(), bounds.end());
  }
  OneSeries& made = family.series[std::move(labels)];
  made.first_cell = first;
  return made;
}

std::uint32_t Registry::counter(std::string_view name, std::string_view help, Labels labels) {
  return series(Kind::counter, name, help, std::move(labels), {}, 1).first_cell;
}

std::atomic<double>& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
  return series(Kind::gauge, name, help, std::move(labels), {}, 0).gauge;
}

Registry::HistogramCells Registry::histogram(std::string_view name, std::string_view help,
                                             Labels labels, std::span<const double> bounds) {
  // A bucket above the last bound, and the sum.
  const auto cells = static_cast<std::uint32_t>(bounds.size() + 2);
  const std::uint32_t first =
      series(Kind::histogram, name, help, std::move(labels), bounds, cells).first_cell;
  const std::lock_guard lock(mutex_);
  return {first, families_.find(name)->second.bounds};
}

void Registry::collect(Families& families) const {
  const ThreadCells& cells = ThreadCells::instance();
  const std::lock_guard lock(mutex_);
  for (const auto& [name, family] : families_) {
    Family& told = families.get(name, family.kind, family.help);
    for (const auto& [labels, series] : family.series) {
      if (family.kind == Kind::histogram) {
        Distribution distribution{.bounds = family.bounds};
        std::uint32_t cell = series.first_cell;
        for (std::size_t i = 0; i <= family.bounds.size(); ++i)
          distribution.counts.push_back(cells.sum(cell++));
        distribution.sum = cells.sum(cell);
        told.series.push_back({labels, 0, std::move(distribution)});
      } else {
        told.series.push_back({labels,
                               family.kind == Kind::counter
                                   ? cells.sum(series.first_cell)
                                   : series.gauge.load(std::memory_order_relaxed),
                               {}});
      }
    }
  }
}

}  // namespace extproc::metrics
