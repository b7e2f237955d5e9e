#include "extproc/detail/made_metadata.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "extproc/detail/stored_maps.h"
#include "protobuf/struct_merge.h"

namespace extproc::detail {

/// A namespace as it was from some time on; later ones come before earlier ones.
struct MadeMetadata::Entry {
  std::string name;
  std::string own;  // what processors set of it
  std::string all;  // with what the client sent
  Entry* next;

  std::size_t memory() const {
    return sizeof(Entry) + name.capacity() + own.capacity() + all.capacity();
  }
};

const MadeMetadata::Entry* MadeMetadata::entry(std::string_view name) const {
  const Entry* found = newest_.load(std::memory_order_acquire);
  while (found != nullptr && found->name != name) found = found->next;
  return found;
}

std::optional<std::string_view> MadeMetadata::find(std::string_view name) const {
  const Entry* found = entry(name);
  return found == nullptr ? std::nullopt : std::optional<std::string_view>(found->all);
}

void MadeMetadata::set(std::string_view name, std::string_view fields, const StoredMaps* sent) {
  const Entry* before = entry(name);
  push(name, protobuf::merged_struct(before == nullptr ? "" : before->own, fields), sent);
}

// Not where it would change nothing.
void MadeMetadata::push(std::string_view name, std::string own, const StoredMaps* sent) {
  const auto came =
      sent == nullptr ? std::nullopt : sent->find(StoredMaps::Map::filter_metadata, name);
  std::string all = protobuf::merged_struct(came.value_or(""), own);
  const Entry* before = entry(name);
  if (before != nullptr && before->own == own && before->all == all) return;
  auto fresh =
      std::make_unique<Entry>(Entry{std::string(name), std::move(own), std::move(all), nullptr});
  fresh->next = newest_.load(std::memory_order_relaxed);
  memory_ += fresh->memory();
  newest_.store(fresh.release(), std::memory_order_release);
}

void MadeMetadata::renew(const StoredMaps* sent, bool unread) {
  std::vector<std::pair<std::string, std::string>> latest;
  for (const Entry* each = newest_.load(std::memory_order_relaxed); each; each = each->next) {
    if (std::ranges::find(latest, each->name, [](const auto& seen) { return seen.first; }) ==
        latest.end())
      latest.emplace_back(each->name, each->own);
  }
  if (unread) clear();
  for (auto& [name, own] : latest) push(name, std::move(own), sent);
}

void MadeMetadata::clear() {
  Entry* each = newest_.exchange(nullptr, std::memory_order_acq_rel);
  while (each != nullptr) delete std::exchange(each, each->next);
  memory_ = 0;
}

}  // namespace extproc::detail
