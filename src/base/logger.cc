#include "base/logger.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>

namespace extproc {

std::string_view to_string(LogLevel level) {
  constexpr std::array<std::string_view, 6> kNames{"DEBUG", "INFO",     "WARNING",
                                                   "ERROR", "CRITICAL", "OFF"};
  return kNames[static_cast<std::size_t>(level)];
}

void log_to_stderr(LogLevel level, std::string_view message) {
  using std::chrono::milliseconds;
  const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> time{};
  const std::size_t size = std::strftime(time.data(), time.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ",
                static_cast<int>(now.time_since_epoch().count() % 1000));

  std::string line;
  line.reserve(64 + message.size());
  line.append(time.data(), size).append(fraction.data());
  line.append(" ").append(to_string(level)).append(" ").append(message).append("\n");
  // One write, so that lines of several threads do not mix. There is nowhere to report a failure.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void Logger::log(LogLevel level, std::string_view message) const noexcept {
  if (!enabled(level) || !sink_) return;
  try {
    sink_(level, message);
  } catch (...) {  // NOLINT(bugprone-empty-catch): the log is where it would be told
  }
}

}  // namespace extproc
