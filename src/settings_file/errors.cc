#include "settings_file/errors.h"

#include <algorithm>

#include "extproc/error.h"
#include "setting_text/place.h"

namespace extproc::settings_file {

using setting_text::place;

void Errors::add(int line, std::string text) {
  found_.emplace_back(line, place(file_, line) + ": " + std::move(text));
}

void Errors::add_once(int line, std::string text) {
  const std::string told = place(file_, line) + ": " + text;
  if (std::ranges::find(found_, std::pair(line, told)) == found_.end()) add(line, std::move(text));
}

void Errors::add_told(int line, std::string text) {
  const bool told = text.starts_with(file_ + ":");
  told ? static_cast<void>(found_.emplace_back(line, std::move(text))) : add(line, std::move(text));
}

void Errors::throw_if_any() const {
  if (found_.empty()) return;
  auto sorted = found_;
  std::ranges::stable_sort(sorted, {}, &std::pair<int, std::string>::first);
  if (sorted.size() == 1) throw Error(sorted.front().second);
  std::string text = file_ + " has " + std::to_string(sorted.size()) + " errors:";
  for (std::size_t i = 0; i < std::min(sorted.size(), kMost); ++i) text += "\n" + sorted[i].second;
  if (sorted.size() > kMost) text += "\nand " + std::to_string(sorted.size() - kMost) + " more";
  throw Error(text);
}

}  // namespace extproc::settings_file
