#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "call_log/json_line.h"

namespace extproc::call_log {

inline constexpr std::string_view kRedacted = "***";

/// Names whose values are not told, in whatever case. Any thread.
class RedactedNames {
 public:
  explicit RedactedNames(std::vector<std::string> names) : names_(std::move(names)) {}

  bool has(std::string_view name) const;
  /// A member with the value, or what stands in its place.
  void put(JsonLine& line, std::string_view name, std::string_view value) const {
    line.text(name, has(name) ? kRedacted : value);
  }
  /// A path with its query, in at most `most` bytes.
  void put_path(JsonLine& line, std::string_view name, std::string_view path,
                std::size_t most) const;

 private:
  std::vector<std::string> names_;
};

}  // namespace extproc::call_log
