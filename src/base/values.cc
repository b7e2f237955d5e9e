#include "base/values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "base/header_name.h"

namespace extproc {
namespace {

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_seconds(std::string_view text) {
  const auto seconds = parse_number<double>(text);
  constexpr double kMost = std::chrono::duration<double>(kLongestTime).count();
  // Written so that a NaN is refused.
  if (!seconds || !(*seconds >= 0 && *seconds <= kMost)) return std::nullopt;
  return std::chrono::milliseconds(std::llround(*seconds * 1000));
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  return parse_number<std::uint64_t>(text);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_count(text.substr(0, end));
  std::string unit(text.substr(end));
  std::ranges::transform(unit, unit.begin(), lower_case);
  if (!number || unit.empty()) return number;
  constexpr std::string_view kUnits = "kmgt";
  const std::size_t power = kUnits.find(unit.front());
  const std::string_view rest = std::string_view(unit).substr(1);
  if (power == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "ib"))
    return std::nullopt;
  const auto shift = 10 * (power + 1);
  if (*number > (std::numeric_limits<std::uint64_t>::max() >> shift)) return std::nullopt;
  return *number << shift;
}

}  // namespace extproc
