#pragma once

#include <chrono>

#include "server/serve.h"

namespace extproc::server {

// What serve() tells the service manager of the process, where there is one that wants to hear.

/// All of them serve.
void tell_ready(const Servers& servers);
/// They begin to read anew what can change; tell_reloaded() has to follow.
void tell_reloading();
void tell_reloaded();
/// They end within the grace period.
void tell_stopping(std::chrono::milliseconds grace_period);

}  // namespace extproc::server
