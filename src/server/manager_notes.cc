#include "server/manager_notes.h"

#include <string>

#include "extproc/service_manager.h"

namespace extproc::server {
namespace {

/// Above what an end takes once the grace period is over.
constexpr std::chrono::seconds kBeyondGrace{5};

std::string microseconds(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

}  // namespace

void tell_ready(const Servers& servers) {
  std::string serving;
  for (const auto& server : servers) {
    serving += serving.empty() ? "" : ", ";
    serving.append(server->name()).append(" on ").append(server->address());
  }
  notify_service_manager("READY=1\nSTATUS=serving " + serving);
}

void tell_reloading() {
  // As systemd reads the clock.
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  notify_service_manager("RELOADING=1\nMONOTONIC_USEC=" + microseconds(now));
}

void tell_reloaded() { notify_service_manager("READY=1"); }

void tell_stopping(std::chrono::milliseconds grace_period) {
  // It ends what takes longer than it was told in its own unit.
  notify_service_manager("STOPPING=1\nEXTEND_TIMEOUT_USEC=" +
                         microseconds(grace_period + kBeyondGrace));
}

}  // namespace extproc::server
