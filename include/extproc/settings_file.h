#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/own_settings.h"
#include "extproc/service.h"
#include "extproc/settings.h"

// Settings from a file, of the component extproc::settings_file (CMake) or extproc-settings-file
// (pkg-config), which links yaml-cpp. What does not include this header needs neither. The keys of
// the file are in docs/settings.md.
namespace extproc {

/// A processor as a file names it.
struct ProcessorSettings {
  std::string name;
  /// What is its own.
  OwnSettings settings;
};

/// One service of a file: one processor, or several that are a chain.
struct ServiceSettings {
  std::vector<ProcessorSettings> processors{};
  /// What counts for it: its own, else that at the top of the file. The transport is made.
  Settings settings;
};

/// What a settings file says.
struct SettingsFile {
  /// What stands at the top, for all services.
  Settings settings;
  /// Empty where it names none.
  std::vector<ServiceSettings> services{};
};

/// Reads a file of YAML, of at most 1 MiB. Throws Error that tells of all that is wrong, each with
/// its line and the nearest right name. The environment is not looked at, and what the file says of
/// a processor is checked where that reads it.
SettingsFile read_settings_file(const std::string& path);

/// Makes the processor that a file calls `name`. May throw.
using MakeProcessor = std::function<Service(const std::string& name, const OwnSettings& settings)>;

/// As serve(), of what the file says, for programs with processors of their own; `extproc serve
/// --settings` does the same with those of modules. What the file leaves unset is taken from the
/// environment. Keys of a processor that it did not read are errors.
///
/// SIGHUP reads the file anew. What can change while it runs does: limits (Server::set_limits), the
/// log level, and what is the processors' own (Processor::reload); the log says by name and line
/// what did, and what waits for a restart. Of a file that is wrong, or that a processor refuses,
/// nothing counts.
int serve_settings_file(const std::string& path, MakeProcessor make);

/// Reads the file, makes its processors and transports, and opens nothing. Gives what would count,
/// as lines for people; throws Error as serve_settings_file() would tell it.
std::string check_settings_file(const std::string& path, MakeProcessor make);

/// The JSON Schema (2020-12) of such a file, for editors and other checkers.
std::string settings_file_schema();

}  // namespace extproc
