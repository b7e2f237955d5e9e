#include "grpc/deadline_wheel.h"

#include <algorithm>

namespace extproc::grpc {
namespace {

std::uint64_t tick_at_or_before(DeadlineWheel::Clock::time_point time) {
  return static_cast<std::uint64_t>(time.time_since_epoch() / DeadlineWheel::kTick);
}

std::uint64_t tick_at_or_after(DeadlineWheel::Clock::time_point time) {
  return tick_at_or_before(time + (DeadlineWheel::kTick - DeadlineWheel::Clock::duration(1)));
}

}  // namespace

void DeadlineWheel::add(Entry& entry, Clock::time_point at) {
  remove(entry);
  entry.at_ = at;
  entry.wheel_ = this;
  ++entries_;
  // A tick that has been expired is not looked at again for a whole revolution.
  const std::uint64_t tick = std::max(tick_at_or_after(at), last_tick_ + 1);
  slots_[tick % kSlots].push_back(entry);
  if (entries_ == 1 && on_first_) on_first_();
}

void DeadlineWheel::remove(Entry& entry) {
  if (entry.wheel_ == nullptr) return;
  --entry.wheel_->entries_;
  entry.wheel_ = nullptr;
  entry.unlink();
}

void DeadlineWheel::expire(Clock::time_point now) {
  const std::uint64_t now_tick = tick_at_or_before(now);
  if (now_tick <= last_tick_) return;
  const std::uint64_t ticks = std::min<std::uint64_t>(now_tick - last_tick_, kSlots);
  last_tick_ = now_tick;
  if (entries_ == 0) return;
  List due;
  for (std::uint64_t tick = now_tick - ticks + 1; tick <= now_tick; ++tick)
    take_due(slots_[tick % kSlots], now, due);
  while (!due.empty()) {
    Entry& entry = due.front();
    remove(entry);
    entry.on_deadline();
  }
}

void DeadlineWheel::take_due(List& slot, Clock::time_point now, List& due) {
  for (auto it = slot.begin(); it != slot.end();) {
    Entry& entry = *it++;
    if (entry.at_ > now) continue;
    entry.unlink();
    due.push_back(entry);
  }
}

}  // namespace extproc::grpc
