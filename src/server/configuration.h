#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "extproc/settings.h"
#include "server/listen_address.h"

namespace extproc::server {

/// Settings with nothing left open: what was given in code, else in the environment, else the
/// default; all of it valid.
struct Configuration {
  ListenAddress address;
  std::chrono::milliseconds grace_period{5'000};
  std::chrono::milliseconds drain_delay{1'000};
  unsigned threads = 1;
  unsigned blocking_threads = 16;
  /// Lower case; empty when the chain is not revealed.
  std::string chain_header;
  LogLevel log_level = LogLevel::info;
  LogSink log;
  Observer* observer = nullptr;
  std::chrono::milliseconds slow_handler{10};
  FilterSettings filter;
  bool early_end = true;
  bool automatic_mode_override = false;
  Limits limits;
};

/// The value of an environment variable, or nothing.
using EnvironmentLookup = std::function<std::optional<std::string>(const char* name)>;

/// The environment of the process. A variable that is set to nothing counts as not set.
std::optional<std::string> process_environment(const char* name);

/// `own_address` is the service's, which stands in for the address of the settings. Throws Error at
/// the first value that is wrong. A variable is not looked at where the settings have the value.
Configuration resolve(const Settings& settings, const std::optional<std::string>& own_address,
                      const EnvironmentLookup& environment = process_environment);

/// Throws Error at the first limit out of its range.
void check(const Limits& limits);

}  // namespace extproc::server
