#include "extproc/headers.h"

#include "base/header_name.h"

namespace extproc {

std::optional<std::string_view> HeaderView::value(std::string_view name) const {
  for (const Header& header : entries_) {
    if (same_name(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> HeaderView::values(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const Header& header : entries_) {
    if (same_name(header.name, name)) found.push_back(header.value);
  }
  return found;
}

std::map<std::string, std::optional<std::string_view>, std::less<>> HeaderView::get_headers(
    std::span<const std::pair<std::string_view, std::string_view>> names) const {
  std::map<std::string, std::optional<std::string_view>, std::less<>> found;
  for (const auto& [name, key] : names) found.emplace(key, value(name));
  return found;
}

}  // namespace extproc
