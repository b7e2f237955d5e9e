#include "admin/document.h"

#include <algorithm>

namespace extproc::admin {

void Document::add(std::string name, Document value) {
  if (std::holds_alternative<Nothing>(value_)) value_ = Object();
  std::get<Object>(value_).emplace_back(std::move(name), std::move(value));
}

void Document::append(Document value) {
  if (std::holds_alternative<Nothing>(value_)) value_ = List();
  std::get<List>(value_).push_back(std::move(value));
}

const Document* Document::find(std::string_view name) const {
  const auto* members = std::get_if<Object>(&value_);
  if (members == nullptr) return nullptr;
  const auto found = std::ranges::find(*members, name, &Member::first);
  return found == members->end() ? nullptr : &found->second;
}

}  // namespace extproc::admin
