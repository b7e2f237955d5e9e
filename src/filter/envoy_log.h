#pragma once

#include <string_view>

#include "base/logger.h"
#include "extproc/log.h"

namespace extproc::filter {

/// A line in Envoy's log, under its logger `dynamic_modules`. Any thread.
void log_to_envoy(LogLevel level, std::string_view message);

/// A logger whose lines go there.
Logger make_envoy_logger();

/// Has it make lines of LogLevel::debug where Envoy takes them, which its admin page changes.
void follow_envoy_level(const Logger& logger);

}  // namespace extproc::filter
