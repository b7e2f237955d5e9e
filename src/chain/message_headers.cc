#include "chain/message_headers.h"

#include <algorithm>

#include "base/header_name.h"
#include "base/recycle.h"

namespace extproc::chain {

void MessageHeaders::assign(std::span<const Header> entries) {
  constexpr std::size_t kKept = 128;
  recycle(entries_, kKept);
  entries_.assign(entries.begin(), entries.end());
  kept_.clear();
}

void MessageHeaders::copy(std::span<const Header> entries) {
  assign({});
  for (const auto& [name, value] : entries) append(name, value);
}

std::optional<std::string_view> MessageHeaders::get(std::string_view name) const {
  for (const Header& entry : entries_) {
    if (same_name(entry.name, name)) return entry.value;
  }
  return std::nullopt;
}

std::string_view MessageHeaders::keep(std::string_view text) { return kept_.emplace_back(text); }

void MessageHeaders::set(std::string_view name, std::string_view value) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Header& entry) { return same_name(entry.name, name); });
  if (found == entries_.end()) return append(name, value);
  found->value = keep(value);
  entries_.erase(std::remove_if(found + 1, entries_.end(),
                                [&](const Header& entry) { return same_name(entry.name, name); }),
                 entries_.end());
}

void MessageHeaders::append(std::string_view name, std::string_view value) {
  entries_.push_back({keep(name), keep(value)});
}

void MessageHeaders::remove(std::string_view name) {
  std::erase_if(entries_, [&](const Header& entry) { return same_name(entry.name, name); });
}

void MessageHeaders::take(const HeaderMutation::Entry& change) {
  switch (change.operation) {
    case HeaderMutation::Operation::remove:
      return remove(change.name);
    case HeaderMutation::Operation::set:
      return set(change.name, change.value);
    case HeaderMutation::Operation::append:
      return append(change.name, change.value);
  }
}

}  // namespace extproc::chain
