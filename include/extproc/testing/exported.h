#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "extproc/detail/module_registry.h"
#include "extproc/own_settings.h"
#include "extproc/service.h"

namespace extproc::testing {

/// The processor that EXTPROC_EXPORT exports under `name` from a source file of the test program: a
/// module is tested by compiling its sources into the test. A new one each time, with `settings` of
/// its own where it takes some. Throws std::invalid_argument when there is none, and what it
/// throws.
inline Service exported(std::string_view name, const OwnSettings& settings = {}) {
  bool taken = false;
  for (const auto* entry = detail::ModuleExport::head(); entry != nullptr; entry = entry->next()) {
    if (name == entry->name()) return entry->factory()(settings, taken);
  }
  throw std::invalid_argument("no processor is exported as " + std::string(name));
}

}  // namespace extproc::testing
