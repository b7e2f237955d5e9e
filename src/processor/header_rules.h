#pragma once

#include <cstddef>
#include <string_view>

#include "extproc/filter_settings.h"
#include "extproc/header_mutation.h"
#include "extproc/rule.h"

namespace extproc::detail {

/// The connection manager's limit of headers, which Envoy holds against the sets, and the removes,
/// of one answer.
inline constexpr std::size_t kMostMutations = 100;

constexpr bool is_pseudo_header(std::string_view name) { return name.starts_with(':'); }

/// Whether Envoy keeps the header as it is, whatever an answer says, unless the filter's
/// mutation_rules allow the change. `replaces_message`: with CONTINUE_AND_REPLACE.
constexpr bool header_denied(std::string_view name, bool replaces_message,
                             const FilterSettings& filter) {
  switch (name.empty() ? '\0' : name.front()) {
    case ':':
      if (name == ":method" && replaces_message) return false;
      return !filter.allow_all_routing &&
             (name == ":authority" || name == ":method" || name == ":scheme");
    case 'h':
      return !filter.allow_all_routing && name == "host";
    case 'x':
      return !filter.allow_envoy && name.starts_with("x-envoy");
    default:
      return false;
  }
}

constexpr bool header_appendable(std::string_view name, bool replaces_message) {
  return !is_pseudo_header(name) || (replaces_message && name == ":method");
}

constexpr bool header_removable(std::string_view name) {
  return !is_pseudo_header(name) && name != "host";
}

/// Told of each rule that an answer breaks.
class ViolationListener {
 public:
  virtual void on_violation(Rule rule, std::string_view field) = 0;

 protected:
  ~ViolationListener() = default;
};

/// Looks for what Envoy would refuse or ignore. `replaces_message`: with CONTINUE_AND_REPLACE,
/// where ":method" may be set.
void check_mutation(const HeaderMutation& mutation, bool replaces_message,
                    const FilterSettings& filter, ViolationListener& listener);

/// Calls `change` with each change of `mutation` that Envoy makes, in its order: removes come
/// first; `refused` with each of the others.
template <class Change, class Refused>
void for_each_change(const HeaderMutation& mutation, bool replaces_message,
                     const FilterSettings& filter, Change change, Refused refused) {
  using Operation = HeaderMutation::Operation;
  for (const bool removes : {true, false}) {
    for (std::size_t i = 0; i < mutation.size(); ++i) {
      const auto entry = mutation.at(i);
      if ((entry.operation == Operation::remove) != removes) continue;
      const bool illegal = removes ? !header_removable(entry.name)
                                   : entry.operation == Operation::append &&
                                         !header_appendable(entry.name, replaces_message);
      if (illegal || header_denied(entry.name, replaces_message, filter)) {
        refused(entry);
      } else {
        change(entry);
      }
    }
  }
}

}  // namespace extproc::detail
