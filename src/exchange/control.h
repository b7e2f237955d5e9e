#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "extproc/status.h"

namespace extproc::exchange {

/// How an exchange ends, is woken, and holds its messages back: what it needs of its host besides
/// somebody to take its answers. All is called on the exchange's thread.
class Control {
 public:
  /// Ends the exchange; nothing follows.
  virtual void finish(GrpcStatus status, std::string_view message) = 0;
  /// Exchange::on_wake() is to be called at `time`, which takes the place of an earlier one; at no
  /// time: never.
  virtual void wake_at(std::optional<std::chrono::steady_clock::time_point> time) = 0;
  /// No message is to be handed over until resume(), which may hand over some before it returns.
  virtual void pause() = 0;
  virtual void resume() = 0;
  /// What came of a handler that had waited has all been told, for now: last of its calls.
  virtual void settled() {}
  /// After Exchange::on_closed told that a handler still ran: it has returned, and the exchange may
  /// be destroyed or begun anew, also inside of this call.
  virtual void released() = 0;

 protected:
  ~Control() = default;
};

}  // namespace extproc::exchange
