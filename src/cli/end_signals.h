#pragma once

#include <chrono>
#include <csignal>

namespace extproc::cli {

/// SIGINT, SIGTERM and SIGHUP, which comes when the terminal is closed: asked for in place of being
/// interrupted by them. To be made before threads
/// are, which then leave them alone too.
class EndSignals {
 public:
  EndSignals();
  ~EndSignals();
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;

  /// Whether one has come, after waiting for it.
  bool wait(std::chrono::milliseconds time);

 private:
  sigset_t signals_{};
  sigset_t before_{};
  bool came_ = false;
};

}  // namespace extproc::cli
