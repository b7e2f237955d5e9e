#include "server/settings_in_force.h"

#include <utility>

namespace extproc::server {
namespace {

std::string address_source(const Settings& settings,
                           const std::optional<std::string>& own_address) {
  std::string source = source_of(settings, setting_row("listen"));
  if (source == "default" && own_address) return "program";
  return source == "default" ? source_of(settings, setting_row("port")) : source;
}

}  // namespace

SettingsInForce::SettingsInForce(Settings settings, const Configuration& configuration,
                                 const std::optional<std::string>& own_address)
    : settings_(std::move(settings)),
      threads_(configuration.threads),
      memory_bytes_(configuration.limits.memory_bytes),
      address_from_(configuration.sockets.empty() ? address_source(settings_, own_address)
                                                  : "service manager") {}

void SettingsInForce::set_limits(const Limits& given, const Limits& counting) {
  const std::lock_guard lock(mutex_);
  settings_.limits = given;
  memory_bytes_ = counting.memory_bytes;
}

void SettingsInForce::take_sources(const Settings& given) {
  const std::lock_guard lock(mutex_);
  for (const SettingRow& row : setting_rows()) {
    if (!is_limit(row) && row.name != "log_level") continue;
    std::string source = source_of(given, row);
    if (row.show(given) == row.show(settings_) && source != "default")
      note_source(settings_, row, std::move(source));
  }
}

std::vector<SettingInForce> SettingsInForce::shown(std::string_view address) const {
  std::vector<SettingInForce> all;
  const std::lock_guard lock(mutex_);
  for (const SettingRow& row : setting_rows()) {
    // The address says it.
    if (row.name == "port") continue;
    if (row.name == "listen") {
      all.push_back({&row, std::string(address), address_from_});
      continue;
    }
    std::string value = row.show(settings_);
    const bool is_open = value.empty() || (is_limit(row) && value == "0");
    // What is chosen by the machine is told as it was.
    if (row.name == "threads") {
      value = std::to_string(threads_);
    } else if (row.name == "limits.memory_bytes" && is_open) {
      value = std::to_string(memory_bytes_);
    } else if (is_open) {
      value = default_of(row);
    }
    all.push_back({&row, std::move(value), source_of(settings_, row)});
  }
  return all;
}

}  // namespace extproc::server
