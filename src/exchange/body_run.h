#pragma once

#include "exchange/body_deadline.h"
#include "exchange/body_session.h"

namespace extproc::exchange {

/// A handler over a direction's whole body at work, and when it must be helped.
struct BodyRun {
  BodySession session;
  BodyDeadline deadline;

  /// Its direction's trailers wait for it.
  bool holds_others_up() const { return session.running() && !session.abandoned(); }
};

}  // namespace extproc::exchange
