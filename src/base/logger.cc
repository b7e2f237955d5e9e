#include "base/logger.h"

#include <unistd.h>

#include <algorithm>
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

namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// What comes from a peer, or from an exception, must not be able to make lines of its own.
std::string escape(std::string_view message) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string escaped;
  for (const char c : message) {
    if (!is_control(c)) {
      escaped.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    escaped.append("\\x").append({kDigits[byte >> 4], kDigits[byte & 15]});
  }
  return escaped;
}

}  // namespace

void Logger::log(LogLevel level, std::string_view message) const noexcept {
  if (!enabled(level) || !sink_) return;
  try {
    if (std::ranges::any_of(message, is_control)) {
      sink_(level, escape(message));
    } else {
      sink_(level, message);
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): the log is where it would be told
  }
}

}  // namespace extproc
