#include "envoy/string_matcher.h"

#include <algorithm>

#include "base/header_name.h"

namespace extproc::envoy_config {
namespace {

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = lower_case(c);
  return lower;
}

}  // namespace

bool Regex::matches(std::string_view value) const {
  return expression && std::regex_match(value.begin(), value.end(), *expression);
}

bool StringMatcher::matches(std::string_view value) const {
  if (kind == Kind::regex) return regex->matches(value);
  const std::string found = ignore_case ? in_lower_case(value) : std::string(value);
  const std::string wanted = ignore_case ? in_lower_case(text) : text;
  switch (kind) {
    case Kind::prefix:
      return found.starts_with(wanted);
    case Kind::suffix:
      return found.ends_with(wanted);
    case Kind::contains:
      return found.find(wanted) != std::string::npos;
    default:
      return found == wanted;
  }
}

bool any_matches(const std::vector<StringMatcher>& matchers, std::string_view value) {
  return std::any_of(matchers.begin(), matchers.end(),
                     [value](const StringMatcher& matcher) { return matcher.matches(value); });
}

}  // namespace extproc::envoy_config
