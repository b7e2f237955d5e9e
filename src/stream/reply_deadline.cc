#include "stream/reply_deadline.h"

#include <algorithm>

namespace extproc::stream {
namespace {

using std::chrono::milliseconds;

/// What is left of Envoy's time for the answer's way to it, and for timers that tick every 10 ms.
milliseconds before(milliseconds timeout) {
  return std::max(timeout - std::max(timeout / 5, milliseconds(20)), timeout / 2);
}

}  // namespace

void ReplyDeadline::begin(Clock::time_point start, const FilterSettings& filter, bool timed,
                          std::optional<milliseconds> fallback) {
  extend_at_.reset();
  fall_back_at_.reset();
  if (!timed) {
    if (fallback) fall_back_at_ = start + *fallback;
    return;
  }
  const milliseconds base = before(filter.message_timeout);
  const bool may_extend = filter.max_message_timeout.count() > 0;
  milliseconds latest = base;
  if (may_extend && (!fallback || *fallback > base)) {
    const milliseconds ask = filter.message_timeout / 2;
    extend_at_ = start + ask;
    latest = std::max(base, ask + before(filter.max_message_timeout));
  }
  if (fallback) fall_back_at_ = start + std::min(*fallback, latest);
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

}  // namespace extproc::stream
