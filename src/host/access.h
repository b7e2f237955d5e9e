#pragma once

#include <memory>
#include <vector>

#include "base/counters.h"
#include "base/logger.h"
#include "chain/link.h"
#include "exchange/environment.h"
#include "exchange/reporter.h"
#include "extproc/host.h"

namespace extproc {

struct host::Host::Inside {
  Inside(const Service& processor, Settings its_settings, detail::EventLoop* loop,
         Logger its_logger);

  std::shared_ptr<const detail::Dispatcher> dispatcher;
  Settings settings;
  Logger logger;
  Counters counters;
  exchange::Environment environment;
  exchange::Reporter reporter{environment};
  /// Of a chain.
  std::vector<std::unique_ptr<chain::LinkSurroundings>> links;
};

/// What this library's own hosts reach of a Host.
struct detail::HostAccess {
  /// One with a logger of its host's own, in place of that of the settings.
  static host::Host make_host(const Service& processor, host::Settings settings, EventLoop* loop,
                              const Logger& logger) {
    return host::Host(
        std::make_unique<host::Host::Inside>(processor, std::move(settings), loop, logger));
  }
  static host::Settings& settings(host::Host& host) { return host.inside_->settings; }
  /// What the thread counts; those of connections are for the host.
  static Counters& counters(host::Host& host) { return host.inside_->counters; }
  static const Counters& counters(const host::Host& host) { return host.inside_->counters; }
  /// Of each processor of a chain.
  static const std::vector<LinkCounters>& links(const host::Host& host) {
    return host.inside_->environment.links;
  }
};

}  // namespace extproc
