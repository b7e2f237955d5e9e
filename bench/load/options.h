#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "script.h"

namespace bench::load {

struct Options {
  std::string mode;  ///< "run" or "idle"
  std::string connect;
  std::size_t connections = 1;
  std::size_t concurrency = 1;  ///< streams at once, over all connections
  std::size_t count = 1;        ///< streams in all
  /// A run opens no more streams after this time; idle streams that are not all open by then are an
  /// error. 0: never.
  double seconds = 0;
  Script::Parts parts;
};

/// Throws std::invalid_argument with what is wrong.
Options parse_options(int argc, char** argv);

}  // namespace bench::load
