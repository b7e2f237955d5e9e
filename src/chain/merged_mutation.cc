#include "chain/merged_mutation.h"

#include "base/recycle.h"
#include "extproc/error.h"
#include "rules/framing_rules.h"
#include "rules/header_rules.h"

namespace extproc::chain {

MergedMutation::Name& MergedMutation::of(std::string_view name) {
  for (Name& known : names_) {
    if (known.name == name) return known;
  }
  return names_.emplace_back(Name{std::string(name), false, {}});
}

void MergedMutation::take(const HeaderMutation::Entry& change) {
  using Operation = HeaderMutation::Operation;
  Name& name = of(change.name);
  if (change.operation != Operation::append) {
    name.overwritten = true;
    name.values.clear();
  }
  if (change.operation != Operation::remove) name.values.emplace_back(change.value);
}

void MergedMutation::refuse(const HeaderMutation::Entry& refused) {
  if (refused_.empty()) refused_.add(refused);
}

void MergedMutation::clear() {
  constexpr std::size_t kKept = 64;
  recycle(names_, kKept);
  refused_.clear();
}

void MergedMutation::write(HeaderMutation& mutation) const {
  for (const Name& name : names_) {
    if (name.values.empty()) mutation.remove(name.name);
    bool overwrites = name.overwritten;
    for (const std::string& value : name.values) {
      overwrites ? mutation.set(name.name, value) : mutation.append(name.name, value);
      overwrites = false;
    }
  }
}

void MergedMutation::write_refused(HeaderMutation& mutation) const {
  if (mutation.empty() && !refused_.empty()) mutation.add(refused_.at(0));
}

void MergedMutation::write_all(HeaderMutation& mutation, std::string_view spare) const {
  write(mutation);
  if (!rules::count(mutation).too_many()) return;
  if (!spare.empty()) rules::leave_out(mutation, spare);
  const rules::MutationCount counted = rules::count(mutation);
  if (!counted.too_many()) return;
  throw Error("its processors together set " + std::to_string(counted.sets) +
              " headers and remove " + std::to_string(counted.removes) + ": Envoy accepts " +
              std::to_string(rules::kMostMutations) + " of each in one answer");
}

}  // namespace extproc::chain
