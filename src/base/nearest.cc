#include "base/nearest.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace extproc {
namespace {

/// Nobody means a longer one, and the time that is taken grows with its length.
constexpr std::size_t kLongestName = 200;

/// How many letters have to be put in, taken out or exchanged.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t exchanged = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, exchanged});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view name, std::span<const std::string_view> names) {
  if (names.empty()) return {};
  name = name.substr(0, kLongestName);
  return std::string(*std::ranges::min_element(
      names, {}, [&](std::string_view other) { return distance(name, other); }));
}

std::string likely_meant(std::string_view name, std::span<const std::string_view> names) {
  if (name.size() > kLongestName) return {};
  std::string found = nearest(name, names);
  return distance(name, found) <= std::max(name.size(), found.size()) / 2 ? found : std::string();
}

}  // namespace extproc
