#include "extproc/headers.h"

#include "base/header_name.h"

namespace extproc {

std::optional<std::string_view> HeaderView::get_header(std::string_view name) const {
  for (const Header& header : entries_) {
    if (same_name(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> HeaderView::get_all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Header& header : entries_) {
    if (same_name(header.name, name)) values.push_back(header.value);
  }
  return values;
}

std::map<std::string, std::optional<std::string_view>, std::less<>> HeaderView::get_headers(
    std::span<const std::pair<std::string_view, std::string_view>> names) const {
  std::map<std::string, std::optional<std::string_view>, std::less<>> values;
  for (const auto& [name, key] : names) values.emplace(key, get_header(name));
  return values;
}

}  // namespace extproc
