#include <string>

#include "extproc/error.h"
#include "server/configuration.h"
#include "server/settings_table.h"

namespace extproc::server {
namespace {

[[noreturn]] void refuse_too_small(std::string_view limit, std::size_t bytes,
                                   std::size_t message_bytes, std::string_view unless) {
  const auto flag = [](std::string_view name) {
    return flag_of(setting_row("limits." + std::string(name)));
  };
  throw Error("Limits::" + std::string(limit) + " is " + std::to_string(bytes) +
              ": it must hold a message of Limits::message_bytes, " +
              std::to_string(message_bytes) + std::string(unless) + " (" + flag(limit) + ", " +
              flag("message_bytes") + ")");
}

}  // namespace

void check(const Limits& limits) {
  Settings settings;
  settings.limits = limits;
  for (const SettingRow& row : setting_rows()) {
    if (!is_limit(row)) continue;
    row.check(settings, "Limits::" + std::string(row.name.substr(row.name.find('.') + 1)));
  }
  if (limits.memory_bytes != 0 && limits.memory_bytes < limits.message_bytes)
    refuse_too_small("memory_bytes", limits.memory_bytes, limits.message_bytes, ", or be 0");
  if (limits.buffered_bytes_per_connection < limits.message_bytes) {
    refuse_too_small("buffered_bytes_per_connection", limits.buffered_bytes_per_connection,
                     limits.message_bytes, {});
  }
}

}  // namespace extproc::server
