#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "extproc/settings.h"

namespace extproc::server {

/// How a setting is written as text.
enum class Unit : std::uint8_t {
  seconds,       ///< "0.5"
  bytes,         ///< "65536", or "64k", "16m", "1g"
  count,         ///< "800"
  port,          ///< "50051"
  on_or_off,     ///< "true"
  log_level,     ///< "INFO"
  log_format,    ///< "json"
  header_name,   ///< "x-name"
  header_names,  ///< "x-name,x-other"
  address,       ///< "127.0.0.1:9902", or "unix:/path"
  text,
};

/// What it is about, in the order in which --help shows it.
enum class Topic : std::uint8_t {
  serving,
  filter,  ///< as Envoy is configured
  streams,
  memory,
  windows,
  numbers,
  times,
};

/// One setting: all that the command, the environment, `--help` and the docs have of it. What is a
/// list, or no text (observers, a sink of the log), is not among them.
struct SettingRow {
  /// As Settings has it: "grace_period", "limits.message_bytes", "filter.allow_envoy".
  std::string_view name;
  Topic topic;
  Unit unit;
  /// One letter, or none.
  std::string_view short_flag;
  /// The environment's; empty: none.
  std::string_view variable;
  /// What it is for, without its default.
  std::string_view help;
  /// For people; empty where it is that of a new Settings.
  std::string_view otherwise;
  /// What the flag alone stands for; empty: it has a value. None: there is no flag.
  std::string_view flag_value;
  /// Within no limits; see set().
  void (*parse)(Settings& settings, std::string_view source, std::string_view text);
  /// Not of what has always a value: a limit, or a switch that is no std::optional.
  bool (*is_set)(const Settings& settings);
  /// As parse() takes it; empty where it is not set.
  std::string (*show)(const Settings& settings);
  /// Of a limit, in bytes, milliseconds or how many there are; and what it may be.
  std::int64_t (*value)(const Settings& settings) = nullptr;
  std::uint64_t least = 0;
  std::uint64_t most = 0;

  /// Throws Error, which begins with `source`, where the text is wrong, or the limit out of range.
  void set(Settings& settings, std::string_view source, std::string_view text) const;
  /// Throws Error, which begins with `source`, where a limit is out of its range.
  void check(const Settings& settings, std::string_view source) const;
};

/// No flag of `extproc serve` sets it.
inline constexpr std::string_view kNoFlag = "-";

/// In the order in which they are shown.
std::span<const SettingRow> setting_rows();
/// One that is there.
const SettingRow& setting_row(std::string_view name);

inline bool is_limit(const SettingRow& row) { return row.name.starts_with("limits."); }
/// What Envoy's filter is set to, which `extproc config`, `check` and `dev` are told as well.
inline bool is_of_filter(const SettingRow& row) { return row.topic == Topic::filter; }
/// "--message-bytes"; empty where there is none.
std::string flag_of(const SettingRow& row);
/// What its value must be, for people.
std::string_view accepted_of(const SettingRow& row);
/// For people: "16 MiB", "5 min", "800".
std::string default_of(const SettingRow& row);

}  // namespace extproc::server
