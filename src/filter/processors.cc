#include "filter/processors.h"

#include <dlfcn.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "extproc/chain.h"
#include "extproc/error.h"
#include "modules/module_loader.h"

namespace extproc::filter {
namespace {

std::filesystem::path own_file() {
  Dl_info self{};
  if (::dladdr(reinterpret_cast<const void*>(&own_file), &self) == 0 || self.dli_fname == nullptr)
    throw Error("the dynamic loader does not know the filter's own file");
  return self.dli_fname;
}

/// Lets modules find the library in this file: Envoy loads it for itself alone. It then stays
/// loaded, whatever `do_not_close` says.
void* show_symbols() {
  static void* const handle = [] {
    // Its symbols would also stand in for those of a file that has another version linked in; such
    // files keep theirs to themselves.
    void* found = ::dlopen(own_file().c_str(), RTLD_LAZY | RTLD_NOLOAD | RTLD_GLOBAL);
    // Of a program that has the filter linked into it.
    if (found == nullptr) found = ::dlopen(nullptr, RTLD_LAZY);
    if (found == nullptr)
      throw Error(std::string("the filter cannot be made visible: ") + ::dlerror());
    return found;
  }();
  return handle;
}

Service make_one(const FilterConfig::Processor& processor,
                 const std::vector<std::filesystem::path>& folders) {
  // Those of the filter's own file have no module to be named by.
  if (processor.name.find('.') == std::string::npos) {
    if (auto service = modules::find_linked(show_symbols(), processor.name, processor.settings))
      return *std::move(service);
  }
  const modules::ServiceSpec spec = modules::parse_service_spec(processor.name);
  show_symbols();
  return modules::load_service(spec, folders, processor.settings);
}

}  // namespace

std::filesystem::path own_folder() { return own_file().parent_path(); }

Service make_service(const FilterConfig& config) {
  const auto folders = modules::module_folders(config.module_path, own_folder());
  std::vector<Service> services;
  services.reserve(config.processors.size());
  for (const auto& processor : config.processors) services.push_back(make_one(processor, folders));
  if (services.size() == 1) return services.front();
  return Service(std::make_shared<Chain>(std::move(services)));
}

}  // namespace extproc::filter
