#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "extproc/settings.h"
#include "server/setting_sources.h"

namespace extproc::server {

/// The value of an environment variable, or nothing.
using EnvironmentLookup = std::function<std::optional<std::string>(const char* name)>;

/// The environment of the process. A variable that is set to nothing counts as not set.
std::optional<std::string> process_environment(const char* name);

struct FilledSettings {
  Settings settings;
  /// The variables that had a part in it.
  std::vector<std::string> variables;
};

/// The settings, with what they leave unset taken from the variables that are set. A variable that
/// would not count is not looked at; that is so of GRPC_PORT too where no service needs the address
/// of the settings. Throws Error at the first wrong value.
FilledSettings fill_from_environment(Settings settings, bool address_counts = true,
                                     const EnvironmentLookup& environment = process_environment);

/// What the variables of OpenTelemetry say, which may be meant for other programs.
struct EnvironmentTracing {
  std::optional<TraceSettings> settings;
  /// Where they ask for traces and cannot be used: why. Null otherwise.
  std::shared_ptr<const UntoldReason> unusable;
};

/// Of the process.
EnvironmentTracing read_tracing();

/// With `tracing` from the environment, where it is unset. Where that cannot be used there are
/// none, and the first server that has these settings tells why.
Settings fill_tracing(Settings settings, const EnvironmentTracing& environment = read_tracing());

}  // namespace extproc::server
