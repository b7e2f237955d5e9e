#pragma once

#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/setting.h"

namespace extproc::envoy_config {

/// `envoy.type.matcher.v3.RegexMatcher`. Envoy's expressions are RE2's.
struct Regex {
  std::string text{};
  /// Nothing where ECMAScript cannot read the text: such an expression matches nothing here.
  std::optional<std::regex> expression{};

  bool matches(std::string_view value) const;
};

/// `envoy.type.matcher.v3.StringMatcher`.
struct StringMatcher {
  enum class Kind : std::uint8_t { exact, prefix, suffix, contains, regex };
  Kind kind = Kind::exact;
  std::string text{};
  bool ignore_case = false;
  Setting<Regex> regex{};
  /// Where a matcher is stated that is an extension of Envoy's.
  Place custom{};

  bool matches(std::string_view value) const;
};

bool any_matches(const std::vector<StringMatcher>& matchers, std::string_view value);

}  // namespace extproc::envoy_config
