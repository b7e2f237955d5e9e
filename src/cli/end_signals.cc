#include "cli/end_signals.h"

#include <pthread.h>

namespace extproc::cli {

EndSignals::EndSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
}

EndSignals::~EndSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

bool EndSignals::wait(std::chrono::milliseconds time) {
  if (came_) return true;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  const std::chrono::nanoseconds rest = time - seconds;
  const timespec limit{.tv_sec = seconds.count(), .tv_nsec = rest.count()};
  came_ = ::sigtimedwait(&signals_, nullptr, &limit) > 0;
  return came_;
}

}  // namespace extproc::cli
