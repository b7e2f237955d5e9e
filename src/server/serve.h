#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/logger.h"
#include "extproc/server.h"
#include "extproc/service.h"
#include "extproc/settings.h"

namespace extproc::server {

/// A service, and how its server runs.
struct Served {
  Service service;
  Settings settings;
};

using Servers = std::vector<std::unique_ptr<Server>>;

/// What serve() does of its own.
struct ServeHooks {
  /// Gives what is served. Throws Error.
  std::function<std::vector<Served>()> make;
  /// What SIGHUP does besides reading certificates anew: on a thread of its own, one call at a
  /// time. Null: nothing.
  std::function<void(const Servers& servers, const Logger& logger)> on_hangup{};
};

/// Throws Error where two would listen on one address.
void check_addresses(const std::vector<Served>& services);

/// As extproc::serve(), which it is behind; servers are in the order of what `make` gives.
int serve(const ServeHooks& hooks);

}  // namespace extproc::server
