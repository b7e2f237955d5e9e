#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "extproc/filter_settings.h"
#include "extproc/host.h"

namespace extproc::exchange {

/// When a handler that waits must be helped: more time asked of Envoy, or its fallback sent; or be
/// told of, where it has waited for as long as Envoy's message_timeout and Envoy runs no timer.
/// That one runs from when it sent the message; a part of it is left for the way.
class ReplyDeadline {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Action : std::uint8_t { none, tell, extend, fall_back };

  /// When the answer must be there at the latest, with the arguments of begin(); nothing where
  /// Envoy can be asked for more time, and there is no fallback.
  static std::optional<Clock::time_point> answer_by(Clock::time_point start,
                                                    const FilterSettings& filter, bool timed,
                                                    std::optional<Clock::time_point> fall_back_at);

  /// Envoy's message came at `start`. `timed`: Envoy runs a timer for it. `fall_back_at`: when the
  /// handler itself gives up, if it does.
  void begin(Clock::time_point start, const FilterSettings& filter, bool timed,
             std::optional<Clock::time_point> fall_back_at);
  /// Nothing is due any more.
  void clear();
  /// When due() is to be asked next; nothing: never.
  std::optional<Clock::time_point> next() const;
  /// What is to be done now, once each.
  Action due(Clock::time_point now);

 private:
  std::optional<Clock::time_point> tell_at_;
  std::optional<Clock::time_point> extend_at_;
  std::optional<Clock::time_point> fall_back_at_;
};

/// When a handler over a whole body must be helped: the deadline of the answers that it owes. Envoy
/// times its last message; an answer stops that timer, whatever else is owed.
class BodyDeadline {
 public:
  using Clock = ReplyDeadline::Clock;

  /// `filter` must outlive it. `timed`: Envoy runs a timer, and each message wants an answer that
  /// stops it.
  BodyDeadline(const FilterSettings& filter, bool timed) : filter_(filter), timed_(timed) {}

  void message_came(Clock::time_point now);
  void answer_sent(Clock::time_point now);
  /// What Envoy waited for until now was another answer, which stopped its timer; from now on it
  /// times those to the body.
  void start_timing() {
    timed_ = true;
    timer_start_.reset();
    start();
  }
  /// The handler goes on to its next chunk: where chunks want no answers, it is in time so far.
  void chunk_taken(Clock::time_point now);
  /// The handler owes nothing until the next message.
  void clear();
  void set_fallback(detail::Fallback fallback);

  /// The last one that was set.
  const std::optional<detail::Fallback>& fallback() const { return fallback_; }
  std::optional<Clock::time_point> next() const { return deadline_.next(); }
  ReplyDeadline::Action due(Clock::time_point now) { return deadline_.due(now); }
  /// As that of ReplyDeadline, of the answer that is owed; nothing where none is.
  std::optional<Clock::time_point> answer_by() const;

 private:
  void start();
  bool runs() const { return timed_ && timer_start_.has_value(); }
  std::optional<Clock::time_point> fall_back_at() const;

  const FilterSettings& filter_;
  bool timed_;
  std::size_t owed_ = 0;  // answers
  Clock::time_point owed_since_;
  std::optional<Clock::time_point> timer_start_;
  std::optional<detail::Fallback> fallback_;
  ReplyDeadline deadline_;
};

}  // namespace extproc::exchange
