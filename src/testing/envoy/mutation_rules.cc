#include "testing/envoy/mutation_rules.h"

#include <charconv>
#include <string>

#include "testing/envoy/header_map.h"

namespace extproc::testing::envoy {
namespace {

bool is_routing(std::string_view name) {
  return name == "host" || name == ":authority" || name == ":method" || name == ":scheme";
}

bool matches(const std::optional<std::regex>& expression, std::string_view name) {
  return expression && std::regex_match(name.begin(), name.end(), *expression);
}

const char* refuse_value(std::string_view name, std::string_view value) {
  if ((name == "host" || name == ":authority") && !is_authority(value))
    return "the value is not an authority";
  if (name == ":scheme") {
    const std::string scheme = lower_case(value);
    if (scheme != "http" && scheme != "https") return "the value is not a scheme";
  }
  if (name == ":status") {
    unsigned status = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), status);
    if (error != std::errc() || end != value.data() + value.size() || status < 200)
      return "a :status must be a number from 200 on";
  }
  return nullptr;
}

}  // namespace

const char* MutationRules::refuse(Operation operation, std::string_view name,
                                  std::string_view value) const {
  const bool is_system = name.starts_with(':');
  if (operation == Operation::remove && (is_system || name == "host"))
    return "host and names that begin with ':' are never removed";
  if (matches(disallow_expression, name)) return "disallow_expression";
  if (!matches(allow_expression, name)) {
    if (disallow_all) return "disallow_all";
    if (!allow_all_routing && is_routing(name)) return "it needs allow_all_routing";
    if (is_system && operation == Operation::append)
      return "names that begin with ':' are never appended to";
    if (is_system && disallow_system) return "disallow_system";
    if (!allow_envoy && name.starts_with("x-envoy")) return "it needs allow_envoy";
  }
  return operation == Operation::remove ? nullptr : refuse_value(name, value);
}

}  // namespace extproc::testing::envoy
