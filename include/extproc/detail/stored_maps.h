#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "extproc/export.h"

namespace extproc::detail {

/// Protobuf maps as they came, in which names are looked for. A short text is read each time; of a
/// long one the first who looks makes an index. It is changed by one thread, while none looks.
class EXTPROC_API StoredMaps {
 public:
  /// Which map of the text.
  enum class Map : std::uint8_t {
    attributes,             ///< the fields of all `ProcessingRequest.attributes`
    filter_metadata,        ///< `envoy.config.core.v3.Metadata.filter_metadata`
    typed_filter_metadata,  ///< and `typed_filter_metadata`
  };

  StoredMaps() = default;
  ~StoredMaps() { drop_indexes(); }
  StoredMaps(const StoredMaps&) = delete;
  StoredMaps& operator=(const StoredMaps&) = delete;

  std::string_view bytes() const { return bytes_; }
  /// The serialised value of a name, the last one where it is repeated.
  std::optional<std::string_view> find(Map map, std::string_view name) const;

  /// Empty, to be written.
  std::string& replace();
  /// Becomes what `other` was, which is empty then.
  void take(StoredMaps& other);
  /// The bytes that it takes, indexes included.
  std::size_t memory() const;

 private:
  struct Index;
  static constexpr std::size_t kMaps = 3;

  void drop_indexes();
  const Index& index(Map map) const;

  std::string bytes_;
  mutable std::array<std::atomic<const Index*>, kMaps> indexes_{};
};

}  // namespace extproc::detail
