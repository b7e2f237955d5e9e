#pragma once

#include <map>
#include <string>
#include <string_view>

#include "extproc/settings.h"
#include "server/settings_table.h"

namespace extproc {

/// From where the members of Settings are, by the rows of the table of settings.
class detail::SettingSources {
 public:
  /// The row was set from `source`: "flag --port", "environment GRPC_PORT", "file a.yaml:3".
  void note(const server::SettingRow& row, const Settings& settings, std::string source);
  /// Empty where the row was not noted, or the settings have been changed since.
  std::string_view find(const server::SettingRow& row, const Settings& settings) const;

 private:
  struct Noted {
    std::string source;
    std::string shown;
  };
  std::map<std::string_view, Noted> noted_;
};

namespace server {

/// For whoever sets one from somewhere: it is known from then on where it is from.
void note_source(Settings& settings, const SettingRow& row, std::string source);
/// As it was noted, else "program" where it is not as it would be by itself, else "default".
std::string source_of(const Settings& settings, const SettingRow& row);

}  // namespace server
}  // namespace extproc
