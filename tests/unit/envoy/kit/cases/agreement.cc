#include "envoy/kit/cases/agreement.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>
#include <string_view>

namespace extproc::testing::cases {
namespace {

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool library_can_be_told(const YAML::Node& rules) {
  if (!rules) return true;
  return std::all_of(rules.begin(), rules.end(), [](const auto& rule) {
    const std::string name = rule.first.Scalar();
    return name == "allow_all_routing" || name == "allow_envoy" || name == "disallow_is_error";
  });
}

// What Envoy says of a header that it keeps for what it is, and not for its value.
bool is_about_the_name(const std::string& text) {
  constexpr std::string_view kReasons[] = {"are never removed", "are never appended to",
                                           "it needs allow_all_routing", "it needs allow_envoy"};
  return std::any_of(std::begin(kReasons), std::end(kReasons),
                     [&](auto reason) { return text.find(reason) != std::string::npos; });
}

// The text of a refusal begins with the header's name: "host is left …", ":path: …".
std::string header_of(const std::string& text) {
  const std::string word = text.substr(0, text.find(' '));
  return word.ends_with(':') ? word.substr(0, word.size() - 1) : word;
}

// What is appended to a header that is not there is set, which the library cannot know.
bool may_be_set(const Violation& violation) {
  if (violation.rule != Rule::header_not_appendable) return false;
  if (is_trailers(violation.phase)) return true;
  const std::string& name = violation.field;
  if (!is_request_phase(violation.phase)) return name != ":status";
  return name != ":path" && name != ":authority" && name != ":scheme" && name != ":method";
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

}  // namespace

std::string disagreement(const YAML::Node& filter, const EnvoyResult& result) {
  if (!library_can_be_told(filter["mutation_rules"])) return {};
  std::set<std::string> told, certain, refused;
  for (const Violation& violation : result.violations) {
    if (violation.rule == Rule::header_denied || violation.rule == Rule::header_not_removable ||
        violation.rule == Rule::header_not_appendable) {
      told.insert(lower_case(violation.field));
      if (!may_be_set(violation)) certain.insert(lower_case(violation.field));
    }
  }
  bool all_taken = result.caller.complete;
  for (const Refusal& refusal : result.refusals) {
    if (is_about_the_name(refusal.text)) refused.insert(header_of(refusal.text));
    if (refusal.rule != "mutation_rules") all_taken = false;
  }
  std::set<std::string> only_told, only_refused;
  std::set_difference(certain.begin(), certain.end(), refused.begin(), refused.end(),
                      std::inserter(only_told, only_told.end()));
  std::set_difference(refused.begin(), refused.end(), told.begin(), told.end(),
                      std::inserter(only_refused, only_refused.end()));
  if (!only_refused.empty()) return "refused, but no violation: " + joined(only_refused);
  if (all_taken && !only_told.empty()) return "violations, but not refused: " + joined(only_told);
  return {};
}

}  // namespace extproc::testing::cases
