#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "extproc/export.h"

namespace extproc::detail {

class StoredMaps;

/// The dynamic metadata that the processors of a chain have set, with what the client sent of the
/// same namespaces. One thread changes it, while others may look: what is found stays where it is
/// until renew() or clear().
class EXTPROC_API MadeMetadata {
 public:
  MadeMetadata() = default;
  ~MadeMetadata() { clear(); }
  MadeMetadata(const MadeMetadata&) = delete;
  MadeMetadata& operator=(const MadeMetadata&) = delete;

  bool empty() const { return newest_.load(std::memory_order_acquire) == nullptr; }
  /// A namespace's Struct, serialised.
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t memory() const { return memory_; }

  /// Adds fields to a namespace. `sent`: all that the client has sent; null is nothing.
  void set(std::string_view name, std::string_view fields, const StoredMaps* sent);
  /// The client has sent others. `unread`: nobody looks, and nothing that was found is needed.
  void renew(const StoredMaps* sent, bool unread);
  void clear();

 private:
  struct Entry;

  const Entry* entry(std::string_view name) const;
  void push(std::string_view name, std::string own, const StoredMaps* sent);

  std::atomic<Entry*> newest_ = nullptr;
  std::size_t memory_ = 0;  // bytes
};

}  // namespace extproc::detail
