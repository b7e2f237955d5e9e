#include "cli/deadline.h"

#include <array>
#include <cstdio>

namespace extproc::cli {

std::string Deadline::text() const {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f", static_cast<double>(time_.count()) / 1000);
  std::string seconds(text.data());
  seconds.erase(seconds.find_last_not_of('0') + 1);
  if (seconds.ends_with('.')) seconds.pop_back();
  return seconds + " s";
}

}  // namespace extproc::cli
