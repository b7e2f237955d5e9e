#include "extproc/detail/stored_maps.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "extproc/host.h"
#include "protobuf/map_reader.h"

namespace extproc::detail {
namespace {

/// To read so many bytes takes less than an index of them.
constexpr std::size_t kShort = 1024;

constexpr unsigned kStructFields = 1;         // google.protobuf.Struct
constexpr unsigned kFilterMetadata = 1;       // envoy.config.core.v3.Metadata
constexpr unsigned kTypedFilterMetadata = 2;  // the same

template <class Each>
void for_each_in(StoredMaps::Map map, std::string_view bytes, const Each& each) {
  switch (map) {
    case StoredMaps::Map::attributes:
      return protobuf::for_each_entry(bytes, host::kStoredAttributes,
                                      [&](std::string_view, std::string_view fields) {
                                        protobuf::for_each_entry(fields, kStructFields, each);
                                      });
    case StoredMaps::Map::filter_metadata:
      return protobuf::for_each_entry(bytes, kFilterMetadata, each);
    case StoredMaps::Map::typed_filter_metadata:
      return protobuf::for_each_entry(bytes, kTypedFilterMetadata, each);
  }
}

}  // namespace

struct StoredMaps::Index {
  /// Where an entry lies in the text.
  struct Entry {
    std::uint32_t name, name_size, value, value_size;

    std::string_view name_in(std::string_view text) const { return text.substr(name, name_size); }
    std::string_view value_in(std::string_view text) const {
      return text.substr(value, value_size);
    }
  };
  std::vector<Entry> entries;  // by name, the later behind the earlier
};

std::optional<std::string_view> StoredMaps::find(Map map, std::string_view name) const {
  std::optional<std::string_view> found;
  if (bytes_.size() <= kShort) {
    for_each_in(map, bytes_, [&](std::string_view key, std::string_view value) {
      if (key == name) found = value;
    });
    return found;
  }
  const std::string_view text = bytes_;
  const auto& entries = index(map).entries;
  const auto behind = std::upper_bound(
      entries.begin(), entries.end(), name,
      [&](std::string_view wanted, const auto& entry) { return wanted < entry.name_in(text); });
  if (behind != entries.begin() && std::prev(behind)->name_in(text) == name)
    found = std::prev(behind)->value_in(text);
  return found;
}

// Handlers of both directions may look at once, on threads of their own: the first index counts.
const StoredMaps::Index& StoredMaps::index(Map map) const {
  auto& place = indexes_[static_cast<std::size_t>(map)];
  if (const Index* made = place.load(std::memory_order_acquire)) return *made;
  auto fresh = std::make_unique<Index>();
  const std::string_view text = bytes_;
  std::size_t count = 0;
  for_each_in(map, text, [&](std::string_view, std::string_view) { ++count; });
  fresh->entries.reserve(count);
  const auto size = [](std::size_t bytes) { return static_cast<std::uint32_t>(bytes); };
  // One that is missing has no place in the text: it gets that behind those before it.
  std::uint32_t end = 0;
  const auto at = [&](std::string_view part) {
    if (part.empty()) return end;
    const std::uint32_t begin = size(static_cast<std::size_t>(part.data() - text.data()));
    end = std::max(end, begin + size(part.size()));
    return begin;
  };
  for_each_in(map, text, [&](std::string_view key, std::string_view value) {
    fresh->entries.push_back({at(key), size(key.size()), at(value), size(value.size())});
  });
  std::sort(fresh->entries.begin(), fresh->entries.end(), [&](const auto& a, const auto& b) {
    const int order = a.name_in(text).compare(b.name_in(text));
    // Of the same name in the order of the text.
    return order != 0 ? order < 0 : std::max(a.name, a.value) < std::max(b.name, b.value);
  });
  const Index* none = nullptr;
  if (!place.compare_exchange_strong(none, fresh.get(), std::memory_order_acq_rel)) return *none;
  return *fresh.release();
}

std::string& StoredMaps::replace() {
  drop_indexes();
  bytes_.clear();
  return bytes_;
}

void StoredMaps::take(StoredMaps& other) {
  replace().swap(other.bytes_);
  other.drop_indexes();
}

std::size_t StoredMaps::memory() const {
  std::size_t bytes = bytes_.capacity();
  for (const auto& place : indexes_) {
    const Index* made = place.load(std::memory_order_acquire);
    if (made != nullptr) bytes += made->entries.capacity() * sizeof(Index::Entry);
  }
  return bytes;
}

void StoredMaps::drop_indexes() {
  for (auto& place : indexes_) delete place.exchange(nullptr, std::memory_order_acq_rel);
}

}  // namespace extproc::detail
