#include "envoy/kit/inside/module_metadata.h"

#include <algorithm>

#include "testing/struct_copy.h"

namespace extproc::testing::envoy {

ModuleMetadata::ModuleMetadata(const Exchange& exchange) {
  for (const auto& [space, fields] : exchange.dynamic_metadata)
    for (const auto& [key, value] : fields) all_[space].set(key, value);
}

void ModuleMetadata::set(std::string_view space, std::string_view bytes) {
  const StructView fields(bytes);
  merge(all_[std::string(space)], fields);
  merge(taken_[std::string(space)], fields);
}

void ModuleMetadata::set_typed(std::string_view space, std::string_view bytes) {
  typed_.insert_or_assign(std::string(space), std::string(bytes));
}

std::vector<std::string_view> ModuleMetadata::keys(std::string_view space) const {
  std::vector<std::string_view> names;
  const auto found = all_.find(space);
  if (found == all_.end()) return names;
  for (const auto& [name, value] : found->second.view().fields())
    // Of a field that was set again the bytes hold both.
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  return names;
}

std::optional<ValueView> ModuleMetadata::find(std::string_view space, std::string_view key) const {
  const auto found = all_.find(space);
  return found == all_.end() ? std::nullopt : found->second.view().find(key);
}

const std::string* ModuleMetadata::typed(std::string_view space) const {
  const auto found = typed_.find(space);
  return found == typed_.end() ? nullptr : &found->second;
}

}  // namespace extproc::testing::envoy
