#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "extproc/filter_settings.h"
#include "extproc/header_mutation.h"
#include "extproc/rule.h"

namespace extproc::rules {

/// The header that processors add their names to, where it has no other name.
inline constexpr std::string_view kChainHeader = "x-ext-procs-applied";

using Operation = HeaderMutation::Operation;

/// The connection manager's limit of headers, which Envoy holds against the sets, and the removes,
/// of one answer.
inline constexpr std::size_t kMostMutations = 100;

/// What one answer does to headers, by its kind.
struct MutationCount {
  std::size_t sets = 0;
  std::size_t removes = 0;

  constexpr bool too_many() const { return sets > kMostMutations || removes > kMostMutations; }
};

MutationCount count(const HeaderMutation& mutation);

/// `envoy.config.common.mutation_rules.v3.HeaderMutationRules`, but for its expressions, which come
/// first: what they allow or deny is not asked here.
struct HeaderRules {
  bool allow_all_routing = false;
  bool allow_envoy = false;
  bool disallow_system = false;
  bool disallow_all = false;
};

/// As far as a processor is told of them.
constexpr HeaderRules header_rules(const FilterSettings& filter) {
  return {.allow_all_routing = filter.allow_all_routing, .allow_envoy = filter.allow_envoy};
}

/// What becomes of a change of a header, by its name alone.
enum class HeaderVerdict : std::uint8_t {
  made,
  never_removed,   ///< whatever the rules say
  never_appended,  ///< to a pseudo-header, unless an expression allows it
  needs_routing,   ///< allow_all_routing
  needs_envoy,     ///< allow_envoy
  system_denied,   ///< disallow_system
  all_denied,      ///< disallow_all
};

constexpr bool is_pseudo_header(std::string_view name) { return name.starts_with(':'); }

/// What becomes of a change whatever the rules say, their expressions included; nothing where they
/// decide. `name` in lower case. `replaces_message`: in an answer with CONTINUE_AND_REPLACE, where
/// the method may be changed.
constexpr std::optional<HeaderVerdict> fixed_verdict(Operation operation, std::string_view name,
                                                     bool replaces_message) {
  if (operation == Operation::remove) {
    if (is_pseudo_header(name) || name == "host") return HeaderVerdict::never_removed;
  } else if (replaces_message && name == ":method") {
    return HeaderVerdict::made;
  }
  return std::nullopt;
}

/// What becomes of a change that no expression names; the arguments as above.
constexpr HeaderVerdict header_verdict(Operation operation, std::string_view name,
                                       bool replaces_message, const HeaderRules& rules) {
  const char first = name.empty() ? '\0' : name.front();
  // What most names are.
  if (first != ':' && first != 'h' && !rules.disallow_all) {
    const bool denied = first == 'x' && !rules.allow_envoy && name.starts_with("x-envoy");
    return denied ? HeaderVerdict::needs_envoy : HeaderVerdict::made;
  }
  const bool pseudo = first == ':';
  if (const auto fixed = fixed_verdict(operation, name, replaces_message)) return *fixed;
  if (rules.disallow_all) return HeaderVerdict::all_denied;
  if (pseudo && operation == Operation::append) return HeaderVerdict::never_appended;
  if (!rules.allow_all_routing &&
      (name == "host" || name == ":authority" || name == ":method" || name == ":scheme"))
    return HeaderVerdict::needs_routing;
  if (pseudo && rules.disallow_system) return HeaderVerdict::system_denied;
  if (!rules.allow_envoy && name.starts_with("x-envoy")) return HeaderVerdict::needs_envoy;
  return HeaderVerdict::made;
}

/// Whether a name, behind the colon of a pseudo-header, is made of characters that HTTP allows.
bool is_token(std::string_view name);
/// Whether a value is: anything but control characters, tab excepted.
bool is_header_value(std::string_view value);

/// Told of each rule that an answer breaks.
class ViolationListener {
 public:
  virtual void on_violation(Rule rule, std::string_view field) = 0;

 protected:
  ~ViolationListener() = default;
};

/// Looks for what Envoy would refuse or ignore; true where it makes all changes.
/// `replaces_message`: with CONTINUE_AND_REPLACE. `inside_envoy`: its calls know no empty value.
bool check_mutation(const HeaderMutation& mutation, bool replaces_message,
                    const FilterSettings& filter, ViolationListener& listener,
                    bool inside_envoy = false);

/// Leaves out of `mutation` what Envoy would refuse: for who makes the changes in its place.
void leave_out_refused(HeaderMutation& mutation, bool replaces_message,
                       const FilterSettings& filter);

/// Calls `change` with each change of `mutation` that Envoy makes, in its order: removes come
/// first; `refused` with each of the others.
template <class Change, class Refused>
void for_each_change(const HeaderMutation& mutation, bool replaces_message,
                     const FilterSettings& filter, Change change, Refused refused) {
  const HeaderRules rules = header_rules(filter);
  for (const bool removes : {true, false}) {
    for (std::size_t i = 0; i < mutation.size(); ++i) {
      const auto entry = mutation.at(i);
      if ((entry.operation == Operation::remove) != removes) continue;
      const bool made = header_verdict(entry.operation, entry.name, replaces_message, rules) ==
                        HeaderVerdict::made;
      made ? change(entry) : refused(entry);
    }
  }
}

}  // namespace extproc::rules
