// What each row of the table of settings can do.
#include <algorithm>
#include <span>

#include "extproc/error.h"
#include "server/settings_table.h"
#include "server/values.h"

namespace extproc::server {
namespace {

/// The largest unit that it is a multiple of.
struct Scale {
  std::int64_t size;
  std::string_view name;
};

std::string scaled(std::int64_t value, std::span<const Scale> scales) {
  const auto found = std::ranges::find_if(
      scales, [value](const Scale& scale) { return value != 0 && value % scale.size == 0; });
  const Scale scale = found == scales.end() ? scales.back() : *found;
  return std::to_string(value / scale.size) + std::string(scale.name);
}

std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

}  // namespace

void SettingRow::set(Settings& settings, std::string_view source, std::string_view text) const {
  parse(settings, source, text);
  check(settings, source);
}

void SettingRow::check(const Settings& settings, std::string_view source) const {
  if (value == nullptr) return;
  const std::int64_t number = value(settings);
  // One that is too large for a signed number is negative here, and any size that it may have.
  const auto unsigned_number = static_cast<std::uint64_t>(number);
  if (unsigned_number >= least && unsigned_number <= most) return;
  const bool is_time = unit == Unit::seconds;
  throw Error(std::string(source) + " is " +
              (is_time ? std::to_string(number) + " ms" : std::to_string(unsigned_number)) +
              ": it must be from " + std::to_string(least) +
              (is_time ? " ms to a year" : " to " + std::to_string(most)));
}

std::string flag_of(const SettingRow& row) {
  if (row.flag_value == kNoFlag) return {};
  std::string_view name = row.name;
  name.remove_prefix(name.find('.') + 1);
  std::string flag = (row.flag_value == "false" ? "--no-" : "--") + std::string(name);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

std::string_view accepted_of(const SettingRow& row) {
  switch (row.unit) {
    case Unit::seconds:
      return kAcceptedSeconds;
    case Unit::bytes:
      return kAcceptedBytes;
    case Unit::count:
      return kAcceptedCount;
    case Unit::port:
      return kAcceptedPort;
    case Unit::on_or_off:
      return "true or false";
    case Unit::log_level:
      return kAcceptedLogLevel;
    case Unit::log_format:
      return kAcceptedLogFormat;
    case Unit::header_name:
      return kAcceptedHeaderName;
    case Unit::header_names:
      return kAcceptedHeaderNames;
    case Unit::address:
      return "host:port, [v6]:port or unix:/path";
    case Unit::text:
      break;
  }
  return "a text";
}

std::string default_of(const SettingRow& row) {
  if (!row.otherwise.empty()) return std::string(row.otherwise);
  constexpr Scale kBytes[] = {
      {1 << 30, " GiB"}, {1 << 20, " MiB"}, {1 << 10, " KiB"}, {1, " bytes"}};
  constexpr Scale kTimes[] = {{3'600'000, " h"}, {60'000, " min"}, {1'000, " s"}, {1, " ms"}};
  const std::int64_t value = row.value(Settings{});
  if (row.unit == Unit::bytes) return scaled(value, kBytes);
  if (row.unit == Unit::seconds) return scaled(value, kTimes);
  return with_commas(value);
}

}  // namespace extproc::server
