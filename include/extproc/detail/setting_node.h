#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace extproc::detail {

/// A value of a settings file as it was written, and where.
struct SettingNode {
  enum class Kind : std::uint8_t { nothing, scalar, list, mapping };

  Kind kind = Kind::nothing;
  /// Of a scalar: between quotation marks, so that it is a text whatever it looks like.
  bool quoted = false;
  /// From 1; 0 of what was put together by a program.
  int line = 0;
  /// Of a scalar.
  std::string text{};
  /// Of a list its elements; of a mapping its values, each under the key of the same index.
  std::vector<SettingNode> items{};
  struct Key {
    std::string name;
    int line = 0;
  };
  std::vector<Key> keys{};

  /// Null where there is no such key.
  const SettingNode* find(std::string_view name) const {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (keys[i].name == name) return &items[i];
    }
    return nullptr;
  }
  /// Whether they say the same, wherever they stand; the order of keys does not count.
  bool same_as(const SettingNode& other) const {
    if (kind != other.kind || text != other.text || items.size() != other.items.size())
      return false;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const SettingNode* match = kind == Kind::mapping ? other.find(keys[i].name) : &other.items[i];
      if (match == nullptr || !items[i].same_as(*match)) return false;
    }
    return true;
  }
};

}  // namespace extproc::detail
