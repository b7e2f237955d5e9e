#include "server/tick_clock.h"

#include <ctime>

namespace extproc::server {
namespace {

std::chrono::nanoseconds duration_of(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

#ifdef CLOCK_MONOTONIC_COARSE

std::chrono::steady_clock::time_point tick_time() {
  timespec now;
  if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0) return std::chrono::steady_clock::now();
  return std::chrono::steady_clock::time_point(duration_of(now));
}

bool ticks_within(std::chrono::nanoseconds interval) {
  timespec resolution;
  return clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) == 0 &&
         duration_of(resolution) <= interval;
}

#else

std::chrono::steady_clock::time_point tick_time() { return std::chrono::steady_clock::now(); }
bool ticks_within(std::chrono::nanoseconds) { return false; }

#endif

}  // namespace extproc::server
