#pragma once

#include <memory>

#include "extproc/detail/module_registry.h"
#include "extproc/service.h"

/// Exports a processor class under its own name from a module, so that `extproc serve -s
/// <module>.<Name>` finds it. The class is made without arguments when it is served. At namespace
/// scope, in a source file of the module.
#define EXTPROC_EXPORT(Class) \
  EXTPROC_EXPORT_AS(Class, [] { return ::extproc::Service::make<Class>(); })

/// Exports what `factory()` gives under `Name`: anything that a Service can be made from, or a
/// processor itself, such as Handlers, which is kept.
#define EXTPROC_EXPORT_AS(Name, ...)                                         \
  namespace {                                                                \
  const ::extproc::detail::ModuleExport extproc_export_##Name{               \
      #Name, [] { return ::extproc::detail::service_of((__VA_ARGS__)); }};   \
  [[gnu::used]] const ::extproc::detail::ModuleAnchor extproc_anchor_##Name{ \
      &extproc_module_exports, extproc_module_descriptor};                   \
  }
