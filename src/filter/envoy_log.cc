#include "filter/envoy_log.h"

#include "filter/abi.h"
#include "filter/callbacks.h"
#include "log/make_logger.h"

namespace extproc::filter {
namespace {

abi::Level level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return abi::kDebug;
    case LogLevel::info:
      return abi::kInfo;
    case LogLevel::warning:
      return abi::kWarning;
    case LogLevel::error:
      return abi::kError;
    case LogLevel::critical:
      return abi::kCritical;
    case LogLevel::off:
      break;
  }
  return abi::kOff;
}

}  // namespace

void log_to_envoy(LogLevel level, std::string_view message) {
  if (!has(&EXTPROC_ENVOY_CALL(log))) return log_to_stderr(level, message);
  EXTPROC_ENVOY_CALL(log)(level_of(level), abi::bytes(message));
}

Logger make_envoy_logger() {
  Logger logger = log::make_logger(LogLevel::info, {.sink = log_to_envoy});
  follow_envoy_level(logger);
  return logger;
}

// Envoy leaves out itself what its level is too high for.
void follow_envoy_level(const Logger& logger) {
  const LogLevel level =
      EXTPROC_ENVOY_CALL(log_enabled)(abi::kDebug) ? LogLevel::debug : LogLevel::info;
  if (logger.level() != level) logger.set_level(level);
}

}  // namespace extproc::filter
