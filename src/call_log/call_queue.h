#pragma once

#include <memory>

#include "extproc/call_log.h"
#include "log/line_writer.h"

namespace extproc::call_log {

/// Writes lines to the file of the settings, and tells in lines of its own what was lost. Throws
/// Error where the file cannot be written to.
std::shared_ptr<log::LineWriter> make_writer(const CallLogSettings& settings);

}  // namespace extproc::call_log
