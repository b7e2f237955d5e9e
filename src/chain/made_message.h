#pragma once

#include <cstddef>
#include <string>

#include "chain/merged_mutation.h"
#include "chain/message_headers.h"
#include "extproc/phase.h"

namespace extproc::chain {

/// A message that Envoy does not send the processors of a chain, whose headers and body are all
/// there: a local reply on its way back, or what a processor put in place of Envoy's. Each gets the
/// headers and then the body before the next one gets either.
struct MadeMessage {
  Phase headers_phase;
  bool is_reply;
  MessageHeaders& headers;
  MergedMutation& changes;
  std::string& body;
  /// The place, in the direction's order, of the processor that comes next.
  std::size_t next;
  /// The one that made it, which gets no body; none made a local reply's.
  std::size_t maker;
  /// The one before `next` may be due for the body.
  bool body_follows = false;
  /// One of them has not answered yet.
  bool waits = false;
  /// What the one that has the body has written of it so far.
  std::string written{};
};

}  // namespace extproc::chain
