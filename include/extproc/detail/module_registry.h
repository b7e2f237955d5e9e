#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

#include "extproc/own_settings.h"
#include "extproc/service.h"
#include "extproc/version.h"

#define EXTPROC_DETAIL_STRING(x) EXTPROC_DETAIL_STRING_(x)
#define EXTPROC_DETAIL_STRING_(x) #x

#if defined(_LIBCPP_VERSION)
#define EXTPROC_DETAIL_STDLIB "libc++"
#else
#define EXTPROC_DETAIL_STDLIB "libstdc++ cxx11abi=" EXTPROC_DETAIL_STRING(_GLIBCXX_USE_CXX11_ABI)
#endif

/// What a module and its host must agree on, besides the version.
#define EXTPROC_DETAIL_ABI          \
  "itanium " EXTPROC_DETAIL_STRING( \
      __GXX_ABI_VERSION) " " EXTPROC_DETAIL_STDLIB " " EXTPROC_DETAIL_STRING(__SIZEOF_POINTER__)

/// Begins the text by which a host recognises a module, and reads its version and ABI, before
/// loading it.
#define EXTPROC_DETAIL_MODULE_MARK "extproc module: version "

namespace extproc::detail {

/// What EXTPROC_EXPORT exports.
template <class P>
struct MakeExported {
  Service operator()() const
    requires(!std::is_constructible_v<P, const OwnSettings&>)
  {
    return Service::make<P>();
  }
  Service operator()(const OwnSettings& settings) const
    requires std::is_constructible_v<P, const OwnSettings&>
  {
    return Service::make<P>(settings);
  }
};

template <class Make>
Service kept_service(const Make& make) {
  using Made = decltype(make());
  if constexpr (std::is_convertible_v<Made, Service>) {
    return make();
  } else {
    return Service(std::shared_ptr<Made>(new Made(make())));
  }
}

/// What EXTPROC_EXPORT_AS exports. `taken`: whether the factory takes settings.
template <class Factory>
Service service_of(const Factory& factory, const OwnSettings& settings, bool& taken) {
  taken = std::is_invocable_v<const Factory&, const OwnSettings&>;
  if constexpr (std::is_invocable_v<const Factory&, const OwnSettings&>) {
    return kept_service([&] { return factory(settings); });
  } else {
    return kept_service(factory);
  }
}

/// One exported processor; they form a list, one for each module, filled while the module is
/// loaded.
class __attribute__((visibility("hidden"))) ModuleExport {
 public:
  using Factory = Service (*)(const OwnSettings& settings, bool& taken);

  ModuleExport(const char* name, Factory make) : name_(name), factory_(make), next_(head()) {
    head() = this;
  }

  const char* name() const { return name_; }
  Factory factory() const { return factory_; }
  const ModuleExport* next() const { return next_; }

  // Hidden, so that it is one for each module and not one for the process.
  static const ModuleExport*& head() {
    static const ModuleExport* first = nullptr;
    return first;
  }

 private:
  const char* name_;
  Factory factory_;
  const ModuleExport* next_;
};

/// A module's list in a form that crosses the boundary to the host.
struct ModuleFactory {
  const char* name;
  ModuleExport::Factory factory;
};

/// Keeps a module's two symbols in it; see EXTPROC_EXPORT_AS.
struct ModuleAnchor {
  std::size_t (*exports)(ModuleFactory*, std::size_t);
  const char* descriptor;
};

}  // namespace extproc::detail

extern "C" {

// Both are inline and referred to by EXTPROC_EXPORT alone, so that they are in modules and in
// nothing else.

/// Read from the file, before anything of the module runs.
__attribute__((visibility("default"))) inline constexpr char extproc_module_descriptor[] =
    EXTPROC_DETAIL_MODULE_MARK EXTPROC_VERSION_STRING " abi " EXTPROC_DETAIL_ABI "\n";

/// Copies up to `capacity` entries and returns how many there are.
__attribute__((visibility("default"))) inline std::size_t extproc_module_factories(
    extproc::detail::ModuleFactory* entries, std::size_t capacity) {
  std::size_t count = 0;
  for (const auto* entry = extproc::detail::ModuleExport::head(); entry != nullptr;
       entry = entry->next(), ++count) {
    if (count < capacity) entries[count] = {entry->name(), entry->factory()};
  }
  return count;
}
}
