#include "extproc/context.h"

#include "extproc/host.h"
#include "protobuf/any.h"
#include "protobuf/map_reader.h"

namespace extproc {
namespace {

// envoy.config.core.v3.Metadata
constexpr unsigned kFilterMetadata = 1;
constexpr unsigned kTypedFilterMetadata = 2;

}  // namespace

std::optional<ValueView> Context::attribute(std::string_view name) const {
  std::optional<ValueView> found;
  protobuf::for_each_entry(messages_->attributes(), host::kStoredAttributes,
                           [&](std::string_view, std::string_view attributes) {
                             if (auto value = StructView(attributes).find(name)) found = value;
                           });
  return found;
}

std::vector<std::pair<std::string_view, StructView>> Context::attributes() const {
  std::vector<std::pair<std::string_view, StructView>> all;
  protobuf::for_each_entry(messages_->attributes(), host::kStoredAttributes,
                           [&](std::string_view filter, std::string_view attributes) {
                             all.emplace_back(filter, StructView(attributes));
                           });
  return all;
}

std::optional<StructView> Context::filter_metadata(std::string_view name) const {
  const auto found = protobuf::find_entry(messages_->metadata(), kFilterMetadata, name);
  if (!found) return std::nullopt;
  return StructView(*found);
}

std::optional<TypedValue> Context::typed_filter_metadata(std::string_view name) const {
  const auto found = protobuf::find_entry(messages_->metadata(), kTypedFilterMetadata, name);
  if (!found) return std::nullopt;
  return protobuf::read_any(*found);
}

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
