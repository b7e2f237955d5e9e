#include "exchange/deadlines.h"

#include <algorithm>
#include <utility>

namespace extproc::exchange {
namespace {

using std::chrono::milliseconds;

/// What is left of Envoy's time for the answer's way to it, and for timers that tick every 10 ms.
milliseconds before(milliseconds timeout) {
  return std::max(timeout - std::max(timeout / 5, milliseconds(20)), timeout / 2);
}

}  // namespace

std::optional<ReplyDeadline::Clock::time_point> ReplyDeadline::answer_by(
    Clock::time_point start, const FilterSettings& filter, bool timed,
    std::optional<Clock::time_point> fall_back_at) {
  if (!timed || filter.max_message_timeout.count() > 0) return fall_back_at;
  const auto by = start + before(filter.message_timeout);
  return fall_back_at ? std::min(*fall_back_at, by) : by;
}

void ReplyDeadline::begin(Clock::time_point start, const FilterSettings& filter, bool timed,
                          std::optional<Clock::time_point> fall_back_at) {
  clear();
  fall_back_at_ = fall_back_at;
  if (!timed) {
    tell_at_ = start + filter.message_timeout;
    return;
  }
  const auto base = start + before(filter.message_timeout);
  auto latest = base;
  if (filter.max_message_timeout.count() > 0 && (!fall_back_at || *fall_back_at > base)) {
    extend_at_ = start + filter.message_timeout / 2;
    latest = std::max(base, *extend_at_ + before(filter.max_message_timeout));
  }
  if (fall_back_at) fall_back_at_ = std::min(*fall_back_at, latest);
}

void ReplyDeadline::clear() {
  tell_at_.reset();
  extend_at_.reset();
  fall_back_at_.reset();
}

std::optional<ReplyDeadline::Clock::time_point> ReplyDeadline::next() const {
  if (extend_at_) return extend_at_;
  if (tell_at_ && (!fall_back_at_ || *tell_at_ < *fall_back_at_)) return tell_at_;
  return fall_back_at_;
}

ReplyDeadline::Action ReplyDeadline::due(Clock::time_point now) {
  if (tell_at_ && *tell_at_ <= now && (!fall_back_at_ || now < *fall_back_at_)) {
    tell_at_.reset();
    return Action::tell;
  }
  if (extend_at_ && *extend_at_ <= now) {
    extend_at_.reset();
    return Action::extend;
  }
  if (!extend_at_ && fall_back_at_ && *fall_back_at_ <= now) {
    clear();
    return Action::fall_back;
  }
  return Action::none;
}

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

std::optional<BodyDeadline::Clock::time_point> BodyDeadline::fall_back_at() const {
  return fallback_ ? std::optional(owed_since_ + fallback_->after) : std::nullopt;
}

std::optional<BodyDeadline::Clock::time_point> BodyDeadline::answer_by() const {
  if (owed_ == 0) return std::nullopt;
  return ReplyDeadline::answer_by(timer_start_.value_or(owed_since_), filter_, runs(),
                                  fall_back_at());
}

void BodyDeadline::start() {
  if (owed_ == 0) return deadline_.clear();
  deadline_.begin(timer_start_.value_or(owed_since_), filter_, runs(), fall_back_at());
}

}  // namespace extproc::exchange
