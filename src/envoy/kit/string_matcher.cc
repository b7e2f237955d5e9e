#include "envoy/kit/string_matcher.h"

#include <algorithm>

#include "envoy/kit/header_map.h"

namespace extproc::testing::envoy {

bool StringMatcher::matches(std::string_view value) const {
  if (kind == Kind::regex) return std::regex_match(value.begin(), value.end(), *expression);
  const std::string found = ignore_case ? lower_case(value) : std::string(value);
  const std::string wanted = ignore_case ? lower_case(text) : text;
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

}  // namespace extproc::testing::envoy
