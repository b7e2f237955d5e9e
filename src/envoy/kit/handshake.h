#pragma once

#include <deque>
#include <utility>

#include "envoy/kit/http_message.h"
#include "envoy/kit/sender.h"

namespace extproc::testing::envoy {

/// What of a request for a WebSocket is held back: its upstream gets the headers alone until it has
/// answered, whatever it says.
class Handshake {
 public:
  /// The request's headers have left.
  void begin(const HeaderMap& request) { under_way_ = asks_for_websocket(request); }
  /// Whether it keeps the piece, which must not leave yet.
  bool keep(Piece piece) {
    if (under_way_) kept_.push_back(std::move(piece));
    return under_way_;
  }
  void answered() { under_way_ = false; }
  /// What can leave now: all, or, where the response is `over`, what makes the request whole; Envoy
  /// gives up the rest of a request that was answered.
  std::deque<Piece> take(bool over) {
    if (under_way_ || kept_.empty()) return {};
    auto pieces = std::exchange(kept_, {});
    return over && !pieces.back().end ? std::deque<Piece>{} : pieces;
  }

 private:
  bool under_way_ = false;
  std::deque<Piece> kept_;
};

}  // namespace extproc::testing::envoy
