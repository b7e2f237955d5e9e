#include "server/loop_lag.h"

#include <algorithm>

namespace extproc::server {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{250};
constexpr std::chrono::seconds kWindow{10};

}  // namespace

void LoopLag::start() {
  window_begin_ = Clock::now();
  look_again();
}

void LoopLag::look_again() {
  timer_.expires_after(kBetweenLooks);
  due_.store(timer_.expiry().time_since_epoch().count(), std::memory_order_relaxed);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    note(Clock::now());
    look_again();
  });
}

void LoopLag::note(Clock::time_point now) {
  const Clock::rep lag = (now - timer_.expiry()).count();
  if (now - window_begin_ >= kWindow) {
    window_begin_ = now;
    longest_before_.store(longest_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    longest_.store(lag, std::memory_order_relaxed);
  } else if (lag > longest_.load(std::memory_order_relaxed)) {
    longest_.store(lag, std::memory_order_relaxed);
  }
}

std::chrono::nanoseconds LoopLag::longest() const {
  const Clock::rep due = due_.load(std::memory_order_relaxed);
  if (due == 0) return std::chrono::nanoseconds(0);
  const Clock::rep now = Clock::now().time_since_epoch().count();
  return Clock::duration(
      std::max({longest_.load(std::memory_order_relaxed),
                longest_before_.load(std::memory_order_relaxed), now - due, Clock::rep{0}}));
}

}  // namespace extproc::server
