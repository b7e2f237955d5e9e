#pragma once

#include "extproc/detail/dispatcher.h"
#include "extproc/needs.h"

namespace extproc::host {

/// What a processor needs of its filter, or all of a chain, one by one: that two want a body in
/// different modes is no affair of their host's, which takes it as it comes.
Needs needs_of(const detail::Dispatcher& dispatcher);

}  // namespace extproc::host
