#include "server/environment.h"

#include <cstdlib>
#include <string>
#include <utility>

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

Settings fill_tracing(Settings settings) {
  if (!settings.tracing) settings.tracing = TraceSettings::from_environment();
  return settings;
}

}  // namespace server

Settings Settings::from_environment() { return from_environment(Settings()); }

Settings Settings::from_environment(Settings given) {
  return server::fill_tracing(server::fill_from_environment(std::move(given)).settings);
}

}  // namespace extproc
