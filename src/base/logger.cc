#include "base/logger.h"

#include <array>

namespace extproc {

std::string_view to_string(LogLevel level) {
  constexpr std::array<std::string_view, 6> kNames{"DEBUG", "INFO",     "WARNING",
                                                   "ERROR", "CRITICAL", "OFF"};
  return kNames[static_cast<std::size_t>(level)];
}

void Logger::log(const LogLine& line) const noexcept {
  if (!enabled(line.level)) return;
  try {
    sink_->take(line);
  } catch (...) {  // NOLINT(bugprone-empty-catch): the log is where it would be told
  }
}

}  // namespace extproc
