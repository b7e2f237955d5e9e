#include "server/settings_in_force.h"

#include <string>
#include <utility>

#include "extproc/trace_settings.h"
#include "server/transport.h"

namespace extproc::server {
namespace {

std::string address_source(const Settings& settings,
                           const std::optional<std::string>& own_address) {
  std::string source = source_of(settings, setting_row("listen"));
  if (source == "default" && own_address) return "program";
  return source == "default" ? source_of(settings, setting_row("port")) : source;
}

/// What was left open, as it counts.
Settings filled(Settings settings, const Configuration& configuration) {
  settings.grace_period = configuration.grace_period;
  settings.drain_delay = configuration.drain_delay;
  settings.threads = configuration.threads;
  settings.blocking_threads = configuration.blocking_threads;
  settings.blocking_queue = configuration.blocking_queue;
  settings.reveal_chain = !configuration.chain_header.empty();
  settings.log_level = configuration.log_level;
  settings.log_format = configuration.log.format;
  settings.metrics_sample = configuration.metrics_sample;
  settings.reflection = configuration.reflection;
  settings.limits = configuration.limits;
  return settings;
}

}  // namespace

SettingsInForce::SettingsInForce(Settings settings, const Configuration& configuration,
                                 const std::optional<std::string>& own_address)
    : settings_(std::move(settings)),
      counting_(filled(settings_, configuration)),
      address_from_(configuration.sockets.empty() ? address_source(settings_, own_address)
                                                  : "service manager") {}

void SettingsInForce::set_limits(const Limits& given, const Limits& counting) {
  const std::lock_guard lock(mutex_);
  settings_.limits = given;
  counting_.limits = counting;
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
      all.push_back({row.name, row.help, &row, std::string(address), address_from_});
      continue;
    }
    std::string value = row.show(counting_);
    // Of texts alone: "standard error".
    if (value.empty()) value = default_of(row);
    all.push_back({row.name, row.help, &row, std::move(value), source_of(settings_, row)});
  }
  const auto add = [&](std::string_view name, std::string_view help, std::string value,
                       bool is_set) {
    all.push_back({name, help, nullptr, std::move(value), source_of(settings_, name, is_set)});
  };
  const auto& modes = settings_.filter.allowed_override_modes;
  add(kAllowedOverrideModes, "How many modes processors may choose from",
      modes.empty() ? "any" : std::to_string(modes.size()), !modes.empty());
  const auto& transport = settings_.transport;
  add(kTls, "How connections are secured", transport == nullptr ? "off" : transport->description(),
      transport != nullptr);
  const auto& tracing = settings_.tracing;
  add(kTracing, "Where spans are sent, and of which streams",
      tracing ? tracing->endpoint + ", " + std::string(to_string(tracing->sampler)) : "off",
      tracing.has_value());
  return all;
}

}  // namespace extproc::server
