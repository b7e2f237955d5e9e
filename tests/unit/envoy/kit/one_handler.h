#pragma once

#include <memory>
#include <utility>

#include "extproc/handlers.h"
#include "extproc/service.h"

namespace extproc {

/// A processor of one handler.
template <Phase phase, class F>
Service one(F handler) {
  auto handlers = std::make_shared<Handlers>("P");
  handlers->process<phase>(std::move(handler));
  return Service(handlers);
}

}  // namespace extproc
