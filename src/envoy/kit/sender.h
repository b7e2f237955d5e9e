#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "envoy/kit/direction.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing::envoy {

/// One piece of a message that is on its way to Envoy.
struct Piece {
  enum class Kind : std::uint8_t { headers, data, trailers };
  Kind kind = Kind::headers;
  HeaderList headers{};
  std::string data{};
  bool end = false;
  /// Behind the piece before it.
  Time after{0};
};

/// A message's sender: the caller, or the upstream.
class Sender {
 public:
  /// From now on it has `message` to send; `missing` are headers that it may leave out.
  void begin(const HttpMessage& message, const HeaderList& missing, Pacing pacing, Time now);
  /// What is left is not sent.
  void stop() { pieces_.clear(); }

  /// When the next piece comes; nothing when there is none.
  std::optional<Time> next_time() const;
  bool is_ready(Time now) const { return !pieces_.empty() && due_ <= now; }
  Piece take(Time now);
  /// Whether the next piece comes with the one that was taken.
  bool goes_on(Time now) const { return pacing_ == Pacing::together && is_ready(now); }

 private:
  void add(Piece piece, const HttpMessage& message);

  std::deque<Piece> pieces_;
  Pacing pacing_ = Pacing::one_by_one;
  Time due_{0};
};

}  // namespace extproc::testing::envoy
