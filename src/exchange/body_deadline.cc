#include "exchange/body_deadline.h"

#include <utility>

namespace extproc::exchange {

void BodyDeadline::message_came(Clock::time_point now) {
  if (owed_++ == 0) owed_since_ = now;
  timer_start_ = now;
  start();
}

void BodyDeadline::answer_sent(Clock::time_point now) {
  if (!timed_ || owed_ == 0) return;
  --owed_;
  owed_since_ = now;
  timer_start_.reset();
  start();
}

void BodyDeadline::chunk_taken(Clock::time_point now) {
  if (timed_) return;
  owed_since_ = now;
  start();
}

void BodyDeadline::clear() {
  owed_ = 0;
  deadline_.clear();
}

void BodyDeadline::set_fallback(detail::Fallback fallback) {
  fallback_ = std::move(fallback);
  start();
}

void BodyDeadline::start() {
  if (owed_ == 0) return deadline_.clear();
  const auto fall_back_at =
      fallback_ ? std::optional(owed_since_ + fallback_->after) : std::nullopt;
  deadline_.begin(timer_start_.value_or(owed_since_), filter_, timed_ && timer_start_.has_value(),
                  fall_back_at);
}

}  // namespace extproc::exchange
