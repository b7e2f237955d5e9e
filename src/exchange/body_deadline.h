#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "exchange/reply_deadline.h"
#include "extproc/filter_settings.h"
#include "extproc/response.h"

namespace extproc::exchange {

/// When a handler over a whole body must be helped: the deadline of the answers that it owes. Envoy
/// times its last message; an answer stops that timer, whatever else is owed.
class BodyDeadline {
 public:
  using Clock = ReplyDeadline::Clock;

  /// `filter` must outlive it. `timed`: Envoy runs a timer, and each message wants an answer.
  BodyDeadline(const FilterSettings& filter, bool timed) : filter_(filter), timed_(timed) {}

  void message_came(Clock::time_point now);
  void answer_sent(Clock::time_point now);
  /// The handler goes on to its next chunk: where chunks want no answers, it is in time so far.
  void chunk_taken(Clock::time_point now);
  /// The handler owes nothing until the next message.
  void clear();
  void set_fallback(detail::Fallback fallback);

  /// The last one that was set.
  const std::optional<detail::Fallback>& fallback() const { return fallback_; }
  std::optional<Clock::time_point> next() const { return deadline_.next(); }
  ReplyDeadline::Action due(Clock::time_point now) { return deadline_.due(now); }

 private:
  void start();

  const FilterSettings& filter_;
  const bool timed_;
  std::size_t owed_ = 0;  // answers
  Clock::time_point owed_since_;
  std::optional<Clock::time_point> timer_start_;
  std::optional<detail::Fallback> fallback_;
  ReplyDeadline deadline_;
};

}  // namespace extproc::exchange
