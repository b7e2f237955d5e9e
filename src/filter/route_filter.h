#pragma once

#include <memory>

#include "filter/filter.h"

namespace extproc::filter {

/// What a route says of the filter.
struct RouteFilter {
  bool disabled = false;
  /// In place of the one that is configured; null where it is disabled.
  std::shared_ptr<Filter> filter{};
};

}  // namespace extproc::filter
