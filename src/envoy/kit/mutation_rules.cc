#include "envoy/kit/mutation_rules.h"

#include <charconv>
#include <string>

#include "envoy/kit/header_map.h"

namespace extproc::testing::envoy {
namespace {

/// Null where the change is made.
const char* why(rules::HeaderVerdict verdict) {
  switch (verdict) {
    case rules::HeaderVerdict::never_removed:
      return "host and names that begin with ':' are never removed";
    case rules::HeaderVerdict::never_appended:
      return "names that begin with ':' are never appended to";
    case rules::HeaderVerdict::needs_routing:
      return "it needs allow_all_routing";
    case rules::HeaderVerdict::needs_envoy:
      return "it needs allow_envoy";
    case rules::HeaderVerdict::system_denied:
      return "disallow_system";
    case rules::HeaderVerdict::all_denied:
      return "disallow_all";
    case rules::HeaderVerdict::made:
      break;
  }
  return nullptr;
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

const char* denial(const MutationRules& rules, HeaderMutation::Operation operation,
                   std::string_view name, std::string_view value, bool replaces_message) {
  const auto verdict = rules.decide(operation, name, replaces_message);
  if (!verdict) return "disallow_expression";
  if (*verdict != rules::HeaderVerdict::made) return why(*verdict);
  return operation == HeaderMutation::Operation::remove ? nullptr : refuse_value(name, value);
}

}  // namespace extproc::testing::envoy
