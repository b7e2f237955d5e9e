#pragma once

#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace extproc::testing::envoy {

/// `envoy.type.matcher.v3.StringMatcher`.
struct StringMatcher {
  enum class Kind : std::uint8_t { exact, prefix, suffix, contains, regex };
  Kind kind = Kind::exact;
  std::string text;
  bool ignore_case = false;
  std::optional<std::regex> expression;

  bool matches(std::string_view value) const;
};

bool any_matches(const std::vector<StringMatcher>& matchers, std::string_view value);

}  // namespace extproc::testing::envoy
