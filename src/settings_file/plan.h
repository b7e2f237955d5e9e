#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/detail/setting_node.h"
#include "extproc/own_settings.h"
#include "extproc/processing_mode.h"
#include "extproc/settings.h"
#include "extproc/tls.h"
#include "server/settings_table.h"

namespace extproc::settings_file {

/// One setting of the table, and who gives it: "serve.yaml:12", "--threads".
struct Given {
  const server::SettingRow* row = nullptr;
  std::string source{};
  std::string text{};
  /// Of the file; 0: a flag gives it.
  int line = 0;
};

/// At most one for each setting.
class GivenSettings {
 public:
  /// In place of what was there; a port and an address are in place of each other.
  void put(Given given);
  void put(const GivenSettings& others);
  /// As the other has it, or does not.
  void copy(std::string_view name, const GivenSettings& other);
  /// Null where it is not given.
  const Given* find(std::string_view name) const;
  /// The one that a text begins with, by its flag or as a member of Settings; null where there is
  /// none. That name is taken off the text.
  const Given* take_named(std::string_view& text) const;

  Settings settings() const;

 private:
  std::map<std::string_view, Given> by_name_;
};

struct GivenTls {
  TlsSettings settings{};
  std::string source{};
  int line = 0;
};

struct GivenOverrides {
  std::vector<ModeOverride> modes{};
  std::string source{};
};

/// What may stand at the top and in each service.
struct Common {
  GivenSettings given{};
  std::optional<GivenTls> tls{};
  std::optional<GivenOverrides> overrides{};

  /// What the other gives is stronger.
  void put(const Common& stronger);
  /// Without the transport.
  Settings settings() const;
};

struct PlannedProcessor {
  /// "module.Name", or as a program calls it; empty: the base processor.
  std::string name{};
  /// A mapping, or nothing.
  detail::SettingNode own{};
  int line = 0;
};

struct PlannedService {
  std::vector<PlannedProcessor> processors{};
  Common common{};
  /// 0: of flags.
  int line = 0;
};

/// What a file says, each value valid by itself.
struct Plan {
  std::string file{};
  std::vector<std::string> module_path{};
  Common common{};
  std::vector<PlannedService> services{};
};

OwnSettings own_settings(const std::string& file, const PlannedProcessor& processor);

}  // namespace extproc::settings_file
