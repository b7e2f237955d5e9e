#pragma once

#include <memory>

#include "extproc/detail/module_registry.h"
#include "extproc/service.h"

/// Exports a processor class under its own name from a module, so that `extproc serve -s
/// <module>.<Name>` finds it. The class is made when it is served: from its own settings, where it
/// can be made from a const OwnSettings&, else without arguments. At namespace scope, in a source
/// file of the module.
#define EXTPROC_EXPORT(Class) EXTPROC_EXPORT_AS(Class, ::extproc::detail::MakeExported<Class>{})

/// Exports what `factory()`, or `factory(const OwnSettings&)`, gives under `Name`: anything that a
/// Service can be made from, or a processor itself, such as Handlers, which is kept. The settings
/// are those of the settings file; without one, or with none there, they say nothing.
#define EXTPROC_EXPORT_AS(Name, ...)                                                     \
  namespace {                                                                            \
  const ::extproc::detail::ModuleExport extproc_export_##Name{                           \
      #Name, [](const ::extproc::OwnSettings& extproc_own, bool& extproc_taken) {        \
        return ::extproc::detail::service_of((__VA_ARGS__), extproc_own, extproc_taken); \
      }};                                                                                \
  [[gnu::used]] const ::extproc::detail::ModuleAnchor extproc_anchor_##Name{             \
      &extproc_module_factories, extproc_module_descriptor};                             \
  }
