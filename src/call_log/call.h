#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace extproc::call_log {

/// What is known of a body's size.
enum class Size : std::uint8_t { unknown, announced, counted, whole };

struct Body {
  std::uint64_t bytes = 0;
  Size size = Size::unknown;

  void announce(std::optional<std::uint64_t> length, bool ended) {
    if (ended) {
      *this = {0, Size::whole};
    } else if (length) {
      *this = {*length, Size::announced};
    }
  }
  void add(std::size_t more) {
    if (size < Size::counted) *this = {0, Size::counted};
    bytes += more;
  }
};

/// A request until its line is written.
struct Call {
  /// What of a text is kept.
  static constexpr std::size_t kKeptBytes = 1024;

  std::chrono::steady_clock::time_point begun{};
  std::chrono::steady_clock::time_point responded{}, ended{};
  int status = 0;
  Body request, response;
  // A part of `kept`.
  struct Slice {
    std::uint32_t at = 0, size = 0;
  };
  Slice route, user, client, grpc_status, trace_id;
  /// Of the request's, and behind them of the response's.
  std::vector<Slice> headers;
  std::size_t request_headers = 0;
  std::string kept{};

  Slice keep(std::string_view text) {
    const Slice slice{static_cast<std::uint32_t>(kept.size()),
                      static_cast<std::uint32_t>(std::min(text.size(), kKeptBytes))};
    kept.append(text, 0, slice.size);
    return slice;
  }
  std::string_view text(Slice slice) const {
    return std::string_view(kept).substr(slice.at, slice.size);
  }
};

}  // namespace extproc::call_log
