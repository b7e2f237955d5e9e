#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "script.h"

namespace bench::load {

struct Options {
  std::string mode;  ///< "run", "rate" or "idle"
  std::string connect;
  std::string tls_ca;  ///< a file; empty: clear text
  std::size_t connections = 1;
  std::size_t concurrency = 1;  ///< streams at once, over all connections
  std::size_t count = 1;        ///< streams in all
  /// A run opens no more streams after this time; idle streams that are not all open by then are an
  /// error. 0: never.
  double seconds = 0;
  double rate = 0;  ///< of "rate": streams a second, over all connections
  std::chrono::milliseconds reset_after{200};  ///< of "rate": as Envoy's message_timeout
  Script::Parts parts;
};

/// Throws std::invalid_argument with what is wrong.
Options parse_options(int argc, char** argv);

}  // namespace bench::load
