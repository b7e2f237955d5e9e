#include "extproc/context.h"

#include "extproc/host.h"
#include "protobuf/any.h"
#include "protobuf/map_reader.h"

namespace extproc {

using Map = detail::StoredMaps::Map;

std::optional<ValueView> Context::attribute(std::string_view name) const {
  const auto* data = messages_->data.get();
  if (data == nullptr) return std::nullopt;
  auto found = data->attributes[1].find(Map::attributes, name);
  if (!found) found = data->attributes[0].find(Map::attributes, name);
  return found ? std::optional(ValueView(*found)) : std::nullopt;
}

std::vector<std::pair<std::string_view, StructView>> Context::attributes() const {
  std::vector<std::pair<std::string_view, StructView>> all;
  if (messages_->data == nullptr) return all;
  for (const auto& direction : messages_->data->attributes) {
    protobuf::for_each_entry(direction.bytes(), host::kStoredAttributes,
                             [&](std::string_view filter, std::string_view attributes) {
                               all.emplace_back(filter, StructView(attributes));
                             });
  }
  return all;
}

std::optional<StructView> Context::filter_metadata(std::string_view name) const {
  if (const auto made = messages_->made.find(name)) return StructView(*made);
  if (messages_->data == nullptr) return std::nullopt;
  const auto found = messages_->data->metadata.find(Map::filter_metadata, name);
  return found ? std::optional(StructView(*found)) : std::nullopt;
}

std::optional<TypedValue> Context::typed_filter_metadata(std::string_view name) const {
  if (messages_->data == nullptr) return std::nullopt;
  const auto found = messages_->data->metadata.find(Map::typed_filter_metadata, name);
  return found ? std::optional(protobuf::read_any(*found)) : std::nullopt;
}

const PeerCertificate* Context::peer_certificate() const {
  if (info_ == nullptr) return nullptr;
  const PeerCertificate* const certificate = info_->peer_certificate();
  if (certificate == nullptr) info_->note_missing(detail::CallPart::peer_certificate);
  return certificate;
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
  if (size == 0 && info_ != nullptr) info_->note_missing(detail::CallPart::metadata);
  return std::nullopt;
}

std::vector<std::pair<std::string_view, std::string_view>> Context::metadata() const {
  std::vector<std::pair<std::string_view, std::string_view>> entries;
  const std::size_t size = info_ == nullptr ? 0 : info_->metadata_size();
  if (size == 0 && info_ != nullptr) info_->note_missing(detail::CallPart::metadata);
  entries.reserve(size);
  for (std::size_t i = 0; i < size; ++i) entries.push_back(info_->metadata_at(i));
  return entries;
}

std::optional<std::chrono::steady_clock::time_point> Context::deadline() const {
  if (info_ == nullptr) return std::nullopt;
  const auto deadline = info_->deadline();
  if (!deadline) info_->note_missing(detail::CallPart::deadline);
  return deadline;
}

}  // namespace extproc
