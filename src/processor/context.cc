#include "extproc/context.h"

namespace extproc {

std::string_view Context::peer() const {
  return info_ == nullptr ? std::string_view() : info_->peer();
}

std::optional<std::string_view> Context::metadata(std::string_view name) const {
  const std::size_t size = info_ == nullptr ? 0 : info_->metadata_size();
  for (std::size_t i = 0; i < size; ++i) {
    const auto [key, value] = info_->metadata_at(i);
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::pair<std::string_view, std::string_view>> Context::metadata() const {
  std::vector<std::pair<std::string_view, std::string_view>> entries;
  const std::size_t size = info_ == nullptr ? 0 : info_->metadata_size();
  entries.reserve(size);
  for (std::size_t i = 0; i < size; ++i) entries.push_back(info_->metadata_at(i));
  return entries;
}

std::optional<std::chrono::steady_clock::time_point> Context::deadline() const {
  return info_ == nullptr ? std::nullopt : info_->deadline();
}

}  // namespace extproc
