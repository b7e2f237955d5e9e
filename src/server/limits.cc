#include <cstdint>
#include <string>

#include "extproc/error.h"
#include "server/configuration.h"
#include "server/settings_table.h"

namespace extproc::server {
namespace {

void check_range(const SettingRow& row, std::int64_t value) {
  // One that is too large for a signed number is negative here, and any size that it may have.
  const auto unsigned_value = static_cast<std::uint64_t>(value);
  if (unsigned_value >= row.least && unsigned_value <= row.most) return;
  const std::string name(row.name.substr(row.name.find('.') + 1));
  const bool is_time = row.unit == Unit::seconds;
  throw Error("Limits::" + name + " is " +
              (is_time ? std::to_string(value) + " ms" : std::to_string(unsigned_value)) +
              ": it must be from " + std::to_string(row.least) + " to " +
              (is_time ? "a year" : std::to_string(row.most)));
}

}  // namespace

void check(const Limits& limits) {
  Settings settings;
  settings.limits = limits;
  for (const SettingRow& row : setting_rows()) {
    if (is_limit(row)) check_range(row, row.value(settings));
  }
  if (limits.memory_bytes != 0 && limits.memory_bytes < limits.message_bytes) {
    throw Error("Limits::memory_bytes is " + std::to_string(limits.memory_bytes) +
                ": it must hold a message of Limits::message_bytes, " +
                std::to_string(limits.message_bytes) + ", or be 0");
  }
  if (limits.buffered_bytes_per_connection < limits.message_bytes) {
    throw Error("Limits::buffered_bytes_per_connection is " +
                std::to_string(limits.buffered_bytes_per_connection) +
                ": it must hold a message of Limits::message_bytes, " +
                std::to_string(limits.message_bytes));
  }
}

}  // namespace extproc::server
