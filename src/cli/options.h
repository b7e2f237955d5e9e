#pragma once

#include <optional>
#include <string>
#include <vector>

#include "extproc/settings.h"

namespace extproc::cli {

/// What `extproc serve` was asked for.
struct Options {
  /// "module.Name"; unset: the base processor.
  std::optional<std::string> service;
  /// Where modules are looked for first, in order.
  std::vector<std::string> module_path;
  /// Show log lines at LOG_LEVEL, not only warnings and errors.
  bool logging = false;
  /// Only what a flag gave is set.
  Settings settings;
};

/// Reads the command line. Where there is nothing to serve (help, version, wrong usage), it prints
/// what there is to say and gives the exit status instead of options: 0, or 2 for wrong usage.
struct ParseResult {
  std::optional<Options> options;
  int exit_status = 0;
};
ParseResult parse_options(int argc, const char* const* argv);

}  // namespace extproc::cli
