#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <string_view>
#include <utility>

namespace extproc::call_log {

/// A time as RFC 3339 has it, in UTC and to the millisecond. The text is valid until the next one
/// of its thread.
class TimeText {
 public:
  explicit TimeText(std::chrono::system_clock::time_point time) {
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    if (second != second_) write(second);
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(time - second).count();
    for (const auto& [at, unit] : {std::pair{20, 100}, {21, 10}, {22, 1}})
      text_[static_cast<std::size_t>(at)] = static_cast<char>('0' + ms / unit % 10);
  }
  std::string_view text() const { return {text_.data(), kSize}; }

 private:
  static constexpr std::size_t kSize = 24;

  static void write(std::chrono::sys_seconds second) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(second);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::strftime(text_.data(), text_.size(), "%Y-%m-%dT%H:%M:%S.000Z", &utc);
    second_ = second;
  }

  // A second has many lines.
  static inline thread_local std::array<char, 40> text_{};
  static inline thread_local std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
};

}  // namespace extproc::call_log
