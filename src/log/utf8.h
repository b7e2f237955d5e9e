#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace extproc::log {

/// What a text begins with: a character, or a byte that is no UTF-8.
struct Unit {
  std::size_t bytes = 1;
  std::optional<char32_t> character{};
};

/// Of a text that is not empty.
Unit first_unit(std::string_view text);

}  // namespace extproc::log
