#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/json_fields.h"

namespace extproc::jwt {

/// Single members of a small object.
class Members {
 public:
  struct Member {
    JsonKind kind{};
    std::string raw{}, text{};  // text: of a string
  };

  /// Those of `names`, which are names and no pointers. Nothing where it is no object, is no JSON,
  /// or has one of them twice.
  static std::optional<Members> read(std::string_view json, const std::vector<std::string>& names);

  const Member* find(std::string_view name) const;
  /// A member that is a string; nothing where it is missing or is none.
  std::optional<std::string_view> text(std::string_view name) const;
  /// Whether it is there and no string.
  bool is_other(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, Member>> members_;
};

/// The elements of an array, as they are written; nothing where it is none, or has more than
/// `most`.
std::optional<std::vector<Members::Member>> elements_of(std::string_view json, std::size_t most);

}  // namespace extproc::jwt
