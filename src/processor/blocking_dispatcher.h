#pragma once

#include <memory>

#include "extproc/detail/dispatcher.h"

namespace extproc::detail {

/// The same processor with its handlers run on the blocking threads of the stream's event loop.
std::shared_ptr<const Dispatcher> make_blocking(std::shared_ptr<const Dispatcher> dispatcher);

}  // namespace extproc::detail
