#pragma once

#include <stdexcept>

#include "extproc/export.h"

namespace extproc {

/// What is wrong at set-up: a setting out of range, a port in use, a module that cannot be loaded.
/// The text names the setting or thing, says why it is refused and what to do. On the request
/// path only to_struct() and to_list() (json.h) throw it.
class EXTPROC_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown by offload() where its work was not begun: it could not have ended in time, or too much
/// waits already (Settings::blocking_queue). A handler that lets it through has its fallback sent
/// (fall_back_after), or its stream ends with RESOURCE_EXHAUSTED.
class EXTPROC_API Overloaded : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace extproc
