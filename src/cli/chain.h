#pragma once

#include <vector>

#include "extproc/service.h"

namespace extproc::cli {

/// One service that asks each of the given ones in order. Throws Error where that is not possible.
Service make_chain(std::vector<Service> services);

}  // namespace extproc::cli
