#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "extproc/export.h"

namespace extproc {

// What a service manager and a process that it starts tell each other: systemd's protocol, which
// others speak as well. serve() and the command do all of it; this is for programs that run a
// Server of their own.

/// A socket that listens already.
struct PassedSocket {
  int fd = -1;
  /// FileDescriptorName= of the unit; systemd's own choice is the unit's name. May be empty.
  std::string name{};
};

/// The sockets that a service manager handed to this process, in its order: LISTEN_FDS of them
/// (LISTEN_FDNAMES are their names), where LISTEN_PID is this process; none otherwise. Programs
/// that this one starts do not inherit them any more. They are the caller's, to be given to
/// Service::on_sockets(). Throws Error where a variable is wrong, or one of them is no stream
/// socket of IPv4, IPv6 or the Unix domain that listens.
EXTPROC_API std::vector<PassedSocket> passed_sockets();

/// Tells the service manager what is so now, as sd_notify(3) has it: "READY=1", "STATUS=...",
/// several with a line feed between them. False where NOTIFY_SOCKET names nobody, or nobody takes
/// it. Never blocks. Any thread, while none changes the environment.
EXTPROC_API bool notify_service_manager(std::string_view state);

}  // namespace extproc
