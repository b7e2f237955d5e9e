#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "extproc/detail/blocking_pool.h"
#include "extproc/settings.h"
#include "log/make_logger.h"
#include "server/listen_address.h"
#include "server/operator_http.h"

namespace extproc::server {

/// Settings with nothing left open, all of it valid.
struct Configuration {
  ListenAddress address;
  /// That listen there already; empty: they are to be made.
  std::vector<int> sockets;
  /// As it was given, perhaps null; of TCP alone: see is_secure().
  std::shared_ptr<Transport> transport;
  bool reflection = false;
  std::chrono::milliseconds grace_period{5'000};
  std::chrono::milliseconds drain_delay{1'000};
  unsigned threads = 1;
  unsigned blocking_threads = detail::BlockingPool::kDefaultThreads;
  unsigned blocking_queue = detail::BlockingPool::kDefaultQueue;
  /// Lower case; empty when the chain is not revealed.
  std::string chain_header;
  LogLevel log_level = LogLevel::info;
  log::Destination log;
  std::vector<std::string> redacted_headers;
  Observer* observer = nullptr;
  std::vector<Observer*> observers;
  std::optional<TraceSettings> tracing;
  std::chrono::milliseconds slow_handler{10};
  FilterSettings filter;
  std::optional<OperatorAddress> server_admin;
  /// Where metrics are shown; none: nowhere, and nothing is counted for them alone.
  std::optional<ListenAddress> metrics;
  unsigned metrics_sample = 16;
  bool early_end = true;
  bool automatic_mode_override = false;
  Limits limits;
};

/// Whether its connections go over the transport; a Unix domain socket's never do.
bool is_secure(const Configuration& configuration);

/// `own_address` and `sockets` are the service's, which stand in for the address of the settings.
/// Throws Error at the first value that is wrong.
Configuration resolve(const Settings& settings, const std::optional<std::string>& own_address,
                      const std::vector<int>& sockets = {});

/// Throws Error at the first limit out of its range.
void check(const Limits& limits);
/// The same; memory_bytes is what 0 stands for.
Limits resolve(Limits limits);

}  // namespace extproc::server
