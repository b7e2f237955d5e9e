#include "exchange/reply_deadline.h"

#include <algorithm>

namespace extproc::exchange {
namespace {

using std::chrono::milliseconds;

/// What is left of Envoy's time for the answer's way to it, and for timers that tick every 10 ms.
milliseconds before(milliseconds timeout) {
  return std::max(timeout - std::max(timeout / 5, milliseconds(20)), timeout / 2);
}

}  // namespace

void ReplyDeadline::begin(Clock::time_point start, const FilterSettings& filter, bool timed,
                          std::optional<Clock::time_point> fall_back_at) {
  extend_at_.reset();
  fall_back_at_ = fall_back_at;
  if (!timed) return;
  const auto base = start + before(filter.message_timeout);
  auto latest = base;
  if (filter.max_message_timeout.count() > 0 && (!fall_back_at || *fall_back_at > base)) {
    extend_at_ = start + filter.message_timeout / 2;
    latest = std::max(base, *extend_at_ + before(filter.max_message_timeout));
  }
  if (fall_back_at) fall_back_at_ = std::min(*fall_back_at, latest);
}

void ReplyDeadline::clear() {
  extend_at_.reset();
  fall_back_at_.reset();
}

std::optional<ReplyDeadline::Clock::time_point> ReplyDeadline::next() const {
  return extend_at_ ? extend_at_ : fall_back_at_;
}

ReplyDeadline::Action ReplyDeadline::due(Clock::time_point now) {
  if (extend_at_ && *extend_at_ <= now) {
    extend_at_.reset();
    return Action::extend;
  }
  if (!extend_at_ && fall_back_at_ && *fall_back_at_ <= now) {
    fall_back_at_.reset();
    return Action::fall_back;
  }
  return Action::none;
}

}  // namespace extproc::exchange
