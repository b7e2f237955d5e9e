#include "processor/chain/merged_mutation.h"

namespace extproc::detail {

MergedMutation::Name& MergedMutation::of(std::string_view name) {
  for (Name& known : names_) {
    if (known.name == name) return known;
  }
  return names_.emplace_back(Name{std::string(name), false, {}});
}

void MergedMutation::set(std::string_view name, std::string_view value) {
  Name& of_name = of(name);
  of_name.overwritten = true;
  of_name.values.assign(1, std::string(value));
}

void MergedMutation::append(std::string_view name, std::string_view value) {
  of(name).values.emplace_back(value);
}

void MergedMutation::remove(std::string_view name) {
  Name& of_name = of(name);
  of_name.overwritten = true;
  of_name.values.clear();
}

void MergedMutation::take(const HeaderMutation::Entry& change) {
  switch (change.operation) {
    case HeaderMutation::Operation::set:
      return set(change.name, change.value);
    case HeaderMutation::Operation::append:
      return append(change.name, change.value);
    case HeaderMutation::Operation::remove:
      return remove(change.name);
  }
}

std::size_t MergedMutation::sets() const {
  std::size_t count = 0;
  for (const Name& name : names_) count += name.values.size();
  return count;
}

std::size_t MergedMutation::removes() const {
  std::size_t count = 0;
  for (const Name& name : names_) count += name.values.empty() ? 1 : 0;
  return count;
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

}  // namespace extproc::detail
