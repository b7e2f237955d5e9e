#pragma once

#include "extproc/log.h"

namespace extproc::cli {

/// Lines on standard error through spdlog, with time, and level named as Python's logging does.
LogSink make_log_sink();

}  // namespace extproc::cli
