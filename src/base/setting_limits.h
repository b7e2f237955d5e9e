#pragma once

#include <cstddef>

namespace extproc {

// What a text of settings may have, in whichever form it is read.

inline constexpr std::size_t kMostSettingBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMostSettingLevels = 32;
inline constexpr std::size_t kMostSettingValues = 20'000;

}  // namespace extproc
