#include "server/environment.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "extproc/error.h"
#include "server/setting_sources.h"
#include "server/settings_table.h"

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
  Settings& open = filled.settings;
  for (const SettingRow& row : setting_rows()) {
    if (row.variable.empty() || row.is_set(open)) continue;
    if (row.unit == Unit::port && (!address_counts || open.listen)) continue;
    const std::string variable(row.variable);
    const auto text = environment(variable.c_str());
    if (!text) continue;
    row.set(open, variable, *text);
    note_source(open, row, "environment " + variable);
    filled.variables.push_back(variable);
  }
  return filled;
}

EnvironmentTracing read_tracing() {
  try {
    return {TraceSettings::from_environment(), nullptr};
  } catch (const Error& error) {
    return {std::nullopt, std::make_shared<UntoldReason>(error.what())};
  }
}

Settings fill_tracing(Settings settings, const EnvironmentTracing& environment) {
  if (settings.tracing) return settings;
  settings.tracing = environment.settings;
  if (settings.tracing) note_source(settings, kTracing, "environment OTEL_*");
  if (environment.unusable != nullptr) note_no_traces(settings, environment.unusable);
  return settings;
}

}  // namespace server

Settings Settings::from_environment() { return from_environment(Settings()); }

Settings Settings::from_environment(Settings given) {
  return server::fill_tracing(server::fill_from_environment(std::move(given)).settings);
}

}  // namespace extproc
