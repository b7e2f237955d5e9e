#include "server/environment.h"

#include <cstdlib>
#include <string_view>
#include <utility>

#include "server/values.h"

namespace extproc {
namespace server {

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

FilledSettings fill_from_environment(Settings settings, bool address_counts,
                                     const EnvironmentLookup& environment) {
  FilledSettings filled{std::move(settings), {}};
  const auto fill = [&](auto& member, const char* variable, auto parse, std::string_view accepted) {
    if (member) return;
    const auto text = environment(variable);
    if (!text) return;
    member = parse(*text);
    if (!member) refuse_value(variable, *text, accepted);
    filled.variables.emplace_back(variable);
  };
  Settings& open = filled.settings;
  if (address_counts && !open.listen) fill(open.port, "GRPC_PORT", parse_port, kAcceptedPort);
  fill(open.grace_period, "SHUTDOWN_GRACE_PERIOD", parse_seconds, kAcceptedSeconds);
  fill(open.reveal_chain, "REVEAL_EXTPROC_CHAIN", parse_switch, kAcceptedSwitch);
  fill(open.applied_header, "EXTPROCS_APPLIED_HEADER", parse_header_name, kAcceptedHeaderName);
  fill(open.log_level, "LOG_LEVEL", parse_log_level, kAcceptedLogLevel);
  fill(open.log_format, "LOG_FORMAT", parse_log_format, kAcceptedLogFormat);
  const auto as_it_is = [](const std::string& text) { return std::optional(text); };
  fill(open.log_file, "LOG_FILE", as_it_is, "a path");
  return filled;
}

}  // namespace server

Settings Settings::from_environment() { return from_environment(Settings()); }

Settings Settings::from_environment(Settings given) {
  return server::fill_from_environment(std::move(given)).settings;
}

}  // namespace extproc
