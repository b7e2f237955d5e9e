#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/counters.h"
#include "base/logger.h"
#include "chain/link.h"
#include "exchange/base_exchange.h"
#include "exchange/environment.h"
#include "exchange/reporter.h"
#include "exchange/watch.h"
#include "extproc/host.h"

namespace extproc {

struct host::Host::Inside {
  Inside(const Service& processor, Settings its_settings, detail::EventLoop* loop,
         Logger its_logger, const exchange::Watchers& watchers);

  std::shared_ptr<const detail::Dispatcher> dispatcher;
  Settings settings;
  Logger logger;
  Counters counters;
  /// None where nobody looks on.
  std::optional<exchange::Watch> watch;
  exchange::Environment environment;
  exchange::Reporter reporter{environment};
  /// Of a chain.
  std::vector<std::unique_ptr<chain::LinkSurroundings>> links;
};

/// What this library's own hosts reach of a Host.
struct detail::HostAccess {
  /// One with a logger of its host's own, in place of that of the settings, and with others who
  /// look on at its streams.
  static host::Host make_host(const Service& processor, host::Settings settings, EventLoop* loop,
                              const Logger& logger, const exchange::Watchers& watchers = {}) {
    return host::Host(std::make_unique<host::Host::Inside>(processor, std::move(settings), loop,
                                                           logger, watchers));
  }
  /// Calls `visit(name of the processor, exchange)` for each exchange that is over while a handler
  /// of it still runs; of a chain for those of its processors.
  template <class Visit>
  static void for_each_outlived(const host::Host& host, Visit visit) {
    const auto all_of = [&](const exchange::Environment& environment) {
      for (const auto* each : environment.outlived) visit(environment.dispatcher.name(), *each);
    };
    all_of(host.inside_->environment);
    for (const auto& link : host.inside_->links) all_of(link->environment);
  }

  /// The log tells of each exchange that is made now.
  static bool tells_of_exchanges(const host::Host& host) {
    return host.inside_->logger.enabled(LogLevel::debug);
  }
  /// One that a Host made: what it is at.
  static const exchange::BaseExchange& look_at(const host::Exchange& exchange);
  /// Calls `visit(dispatcher, metrics::StreamCells)` for what the thread counts of the processor;
  /// of a chain for that, and for each of its processors in their order.
  template <class Visit>
  static void for_each_cells(const host::Host& host, Visit visit) {
    const auto of = [&](const exchange::Environment& environment) {
      if (environment.watch != nullptr && environment.watch->cells() != nullptr)
        visit(environment.dispatcher, *environment.watch->cells());
    };
    of(host.inside_->environment);
    for (const auto& link : host.inside_->links) of(link->environment);
  }

  static host::Settings& settings(host::Host& host) { return host.inside_->settings; }
  static const host::Settings& settings(const host::Host& host) { return host.inside_->settings; }
  /// What the thread counts; those of connections are for the host.
  static Counters& counters(host::Host& host) { return host.inside_->counters; }
  static const Counters& counters(const host::Host& host) { return host.inside_->counters; }
  /// Of each processor of a chain.
  static const std::vector<LinkCounters>& links(const host::Host& host) {
    return host.inside_->environment.links;
  }
};

}  // namespace extproc
