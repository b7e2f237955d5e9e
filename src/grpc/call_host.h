#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "extproc/limits.h"
#include "grpc/buffer_pool.h"
#include "grpc/call.h"
#include "grpc/deadline_wheel.h"
#include "http2/session.h"
#include "http2/token_bucket.h"

namespace extproc::grpc {

class ServerCall;

/// What the calls of one connection share, and how they reach it.
class CallHost {
 public:
  /// Where a call is listed: exactly one list at a time.
  using Hook =
      boost::intrusive::list_base_hook<boost::intrusive::tag<CallHost>,
                                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  using List = boost::intrusive::list<ServerCall, boost::intrusive::base_hook<Hook>,
                                      boost::intrusive::constant_time_size<false>>;

  virtual http2::Session& session() = 0;
  /// Output may have come up: tells the owner, unless it is about to take some anyway.
  virtual void output_ready() = 0;
  /// `call` can deliver what waited for its output to be written, once the session has returned.
  virtual void deliver_later(ServerCall& call) = 0;
  /// A reset has come while an answer was owed.
  virtual void count_owed_reset() = 0;
  /// `call` is over; it may be used again for another.
  virtual void recycle(ServerCall& call) = 0;

  /// True when the connection holds more than it may.
  bool over_limit() const { return buffered > limits.buffered_bytes_per_connection; }

  const Limits& limits;
  DeadlineWheel& deadlines;
  const std::string peer;
  BufferPool& buffers;
  /// When bytes came last.
  Clock::time_point now{};
  /// The weight of all inboxes and outboxes, and of the headers of open calls.
  std::size_t buffered = 0;
  /// Where a message goes that is written after the end of its call.
  std::string discarded;

 protected:
  CallHost(const Limits& the_limits, DeadlineWheel& the_deadlines, BufferPool& the_buffers,
           std::string the_peer)
      : limits(the_limits),
        deadlines(the_deadlines),
        peer(std::move(the_peer)),
        buffers(the_buffers) {}
  ~CallHost() = default;
};

}  // namespace extproc::grpc
