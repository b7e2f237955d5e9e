#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "extproc/call_log.h"

namespace extproc {

void CallFields::put(std::string_view name, Value value) {
  name = name.substr(0, kMostBytes);
  const auto known = std::ranges::find(
      fields_, name, [](const auto& field) -> const auto& { return field.first; });
  if (known != fields_.end()) {
    known->second = std::move(value);
  } else if (fields_.size() < kMost) {
    fields_.emplace_back(name, std::move(value));
  }
}

}  // namespace extproc
