#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/settings.h"
#include "server/configuration.h"
#include "server/setting_sources.h"

namespace extproc::server {

/// A setting as it counts now.
struct SettingInForce {
  std::string_view name;
  std::string_view help;
  /// Null of what is in no table, as it is no text: TLS, traces, the modes that may be chosen.
  const SettingRow* row;
  /// As it is written, or for people where it is not set.
  std::string value;
  /// See source_of().
  std::string from;
};

/// The settings of one server, for operators who ask. Any thread.
class SettingsInForce {
 public:
  /// `own_address` is the service's, as resolve() has it.
  SettingsInForce(Settings settings, const Configuration& configuration,
                  const std::optional<std::string>& own_address);

  /// Something counts from now on: `change(Settings&)` sets it, and notes from where; it is called
  /// twice.
  template <class Change>
  void update(Change change) {
    const std::lock_guard lock(mutex_);
    change(settings_);
    change(counting_);
  }
  /// In place of those that there were: as they were given, and as they count.
  void set_limits(const Limits& given, const Limits& counting);
  /// What `given` notes of limits and of the log's level, which count as they are there, is from
  /// there.
  void take_sources(const Settings& given);
  /// `address` is the one in use. In the order of the table.
  std::vector<SettingInForce> shown(std::string_view address) const;

 private:
  mutable std::mutex mutex_;
  Settings settings_;
  /// The same with nothing left open.
  Settings counting_;
  const std::string address_from_;
};

}  // namespace extproc::server
