#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "base/logger.h"

namespace extproc::log {

/// How many lines of each kind are written in a second.
inline constexpr std::uint32_t kLinesPerSecond = 100;

/// Bounds the lines of each kind, by seconds of a clock that is handed in. One thread at a time.
class LineRates {
 public:
  using Seconds = std::chrono::time_point<std::chrono::steady_clock, std::chrono::seconds>;

  /// False where the line is to be left out.
  bool admit(const LogLine& line, Seconds now) {
    Kind& kind = kinds_[static_cast<std::size_t>(line.kind)];
    if (kind.second != now) {
      kind.second = now;
      kind.admitted = 0;
    }
    if (kind.admitted < kLinesPerSecond) {
      ++kind.admitted;
      return true;
    }
    ++kind.left_out;
    kind.level = line.level;
    ++left_out_;
    untold_ = true;
    return false;
  }

  /// Lines were left out that nobody has been told of.
  bool untold() const { return untold_; }
  /// All that were left out since the beginning.
  std::uint64_t left_out() const { return left_out_; }

  /// Calls `tell(kind, level, lines)` for each kind of which lines were left out, `level` being the
  /// last one's; those of the second `now` wait for its end, unless they are the `last`.
  template <class Tell>
  void tell(Seconds now, bool last, const Tell& tell) {
    untold_ = false;
    for (std::size_t i = 0; i < kLineKinds; ++i) {
      Kind& kind = kinds_[i];
      if (kind.left_out == 0) continue;
      if (kind.second == now && !last) {
        untold_ = true;
        continue;
      }
      tell(static_cast<LineKind>(i), kind.level, kind.left_out);
      kind.left_out = 0;
    }
  }

 private:
  struct Kind {
    Seconds second{};
    std::uint32_t admitted = 0;
    LogLevel level = LogLevel::info;
    std::uint64_t left_out = 0;
  };

  std::array<Kind, kLineKinds> kinds_{};
  std::uint64_t left_out_ = 0;
  bool untold_ = false;
};

}  // namespace extproc::log
