#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "extproc/limits.h"
#include "extproc/peer_certificate.h"
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
  /// `call` has messages left when a turn is over.
  virtual void deliver_next_turn(ServerCall& call) = 0;
  /// A reset has come while an answer was owed.
  virtual void count_owed_reset() = 0;
  /// `call` is over; it may be used again for another.
  virtual void recycle(ServerCall& call) = 0;

  /// True when the connection holds more than it may: a small part of that while all together hold
  /// too much, until the one that holds most is closed, behind the event that is under way.
  bool over_limit() const {
    return buffered_ > limits.buffered_bytes_per_connection ||
           (buffers.over_limit() && buffered_ > kMostOverLimit);
  }
  /// Where over_limit() holds: which limit that is, and by what. Kept out of line: it is rare, and
  /// the functions that may ask for it are not.
  [[gnu::noinline, gnu::cold]] std::string why_over_limit(std::string_view what) const {
    return std::string(buffered_ > limits.buffered_bytes_per_connection
                           ? "the connection buffers too much "
                             "(Limits::buffered_bytes_per_connection): "
                           : "all connections together hold too much (Limits::memory_bytes): ")
        .append(what);
  }
  /// The weight of all inboxes and outboxes, the headers of open calls, what their handlers keep.
  std::size_t buffered() const { return buffered_; }
  /// So many bytes more, or less. What comes and goes in one event of the connection is told to
  /// nobody, unless it is much.
  void count(std::ptrdiff_t bytes) {
    buffered_ += static_cast<std::size_t>(bytes);
    untold_ += bytes;
    if (in_event && untold_ <= kMostUntold && untold_ >= -kMostUntold) return;
    if (untold_ > 0) turn_spent += static_cast<std::size_t>(untold_) / kBytesPerMessage;
    tell_held();
  }
  /// Tells the thread's account what the connection holds.
  virtual void tell_held() = 0;

  /// A turn of its own, for whoever delivers outside of an event of the connection.
  virtual void begin_turn() = 0;
  /// Other connections of the thread are to have their turn.
  bool turn_over() const { return turn_spent >= kTurn; }

  const Limits& limits;
  DeadlineWheel& deadlines;
  const std::string peer;
  /// Null where it showed none.
  std::shared_ptr<const PeerCertificate> peer_certificate{};
  BufferPool& buffers;
  /// When bytes came last.
  Clock::time_point now{};
  /// Within receive() or take_output(), so that the owner takes output anyway.
  bool in_event = false;
  /// Of this turn, in messages that were delivered: each counts as one, and what takes as long.
  std::size_t turn_spent = 0;
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

  std::ptrdiff_t untold_ = 0;

 private:
  static constexpr std::size_t kTurn = 2048;
  /// So many bytes that are to be kept, of answers most of all, take as long as a message.
  static constexpr std::size_t kBytesPerMessage = 2048;
  static constexpr std::size_t kMostOverLimit = std::size_t{1} << 20;
  static constexpr std::ptrdiff_t kMostUntold = std::ptrdiff_t{64} << 10;

  std::size_t buffered_ = 0;
};

}  // namespace extproc::grpc
