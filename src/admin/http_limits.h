#pragma once

#include <chrono>
#include <cstddef>

namespace extproc::admin {

/// What clients can take of an HttpListener.
struct HttpLimits {
  /// Open at once. For one more, that ends which has been idle for the longest time; where none is
  /// idle, that whose request has been coming for the longest time. Where all have requests that
  /// are complete, the new one is answered 503.
  std::size_t connections = 64;
  /// Of one request: its line and headers, of those its target, and its body, in bytes.
  std::size_t head_bytes = std::size_t{16} << 10;
  std::size_t target_bytes = std::size_t{4} << 10;
  std::size_t body_bytes = std::size_t{64} << 10;
  /// For a request from its first byte on, and for its answer to be taken.
  std::chrono::milliseconds request_time{10'000};
  std::chrono::milliseconds answer_time{30'000};
  /// Without a request.
  std::chrono::milliseconds idle_time{60'000};
};

}  // namespace extproc::admin
