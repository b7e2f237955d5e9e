#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "base/counters.h"
#include "base/logger.h"
#include "server/socket.h"
#include "server/worker.h"

namespace extproc::server {

/// For what is told in the log once, not for each of many that come in a row.
class Seldom {
 public:
  bool now() {
    const auto time = std::chrono::steady_clock::now();
    if (told_at_ && time - *told_at_ < std::chrono::minutes(1)) return false;
    told_at_ = time;
    return true;
  }

 private:
  std::optional<std::chrono::steady_clock::time_point> told_at_;
};

/// Which I/O thread a new connection goes to, and what becomes of it where there are as many as may
/// be. On the listener's thread.
class Distributor {
 public:
  /// `most`: connections open at once. All must outlive it; `workers` are the same until then.
  Distributor(std::span<const std::unique_ptr<Worker>> workers, std::size_t most,
              const Logger& logger, Counters& counters)
      : workers_(workers), most_(most), logger_(logger), counters_(counters) {}

  void set_most(std::size_t most) { most_ = most; }
  void distribute(AcceptedSocket socket);
  /// Where the process is out of file descriptors.
  void make_room();

 private:
  /// With the connection that has had no stream for the longest time; null where each has one.
  Worker* idlest() const;
  void tell(Seldom& seldom, const char* what, std::size_t open);

  const std::span<const std::unique_ptr<Worker>> workers_;
  std::size_t most_;
  const Logger& logger_;
  Counters& counters_;
  Seldom tell_refused_;
  Seldom tell_displaced_;
};

}  // namespace extproc::server
