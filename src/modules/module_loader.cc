#include "modules/module_loader.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>
#include <system_error>

#include "base/what_was_thrown.h"
#include "extproc/detail/module_registry.h"
#include "extproc/error.h"
#include "modules/module_file.h"

namespace extproc::modules {
namespace {

namespace fs = std::filesystem;
using detail::ModuleFactory;

constexpr std::string_view kSuffix = ".so";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
constexpr std::string_view kDigits = "0123456789";

bool consists_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

template <class Range>
std::string join(const Range& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + std::string(item);
  return text;
}

/// The modules of a folder; one that cannot be read has none.
std::set<std::string> modules_in(const fs::path& folder) {
  std::set<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    const fs::path& file = entry->path();
    if (file.extension() != kSuffix || !entry->is_regular_file(ignored)) continue;
    try {
      if (read_descriptor(file)) found.insert(file.stem().string());
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): another's file, and not asked for
    }
  }
  return found;
}

fs::path find_module(const std::string& module, const std::vector<fs::path>& folders) {
  for (const fs::path& folder : folders) {
    fs::path file = folder / (module + std::string(kSuffix));
    std::error_code ignored;
    if (fs::exists(file, ignored)) return file;
  }
  std::string looked;
  std::set<std::string> found;
  for (const fs::path& folder : folders) {
    looked += (looked.empty() ? "" : ", ") + folder.string();
    found.merge(modules_in(folder));
  }
  throw Error("there is no module " + module + ": no file " + module + std::string(kSuffix) +
              " in " + looked +
              (found.empty() ? "; there are no modules there" : "; modules there: " + join(found)));
}

void check_fits(const fs::path& file) {
  const auto found = read_descriptor(file);
  if (!found) {
    throw Error(file.string() +
                " is not an extproc module: it exports no processor with EXTPROC_EXPORT");
  }
  const ModuleDescriptor host = host_descriptor();
  if (found->version != host.version) {
    throw Error(file.string() + " was built for extproc " + found->version + ", and this is " +
                host.version + ": build it again with this version's headers");
  }
  if (found->abi != host.abi) {
    throw Error(file.string() + " was built for the compiler ABI \"" + found->abi +
                "\", and this program has \"" + host.abi +
                "\": build both with the same compiler and standard library");
  }
}

/// Those of a loaded file; nothing where it exports none.
std::optional<std::vector<ModuleFactory>> exports_of(void* handle) {
  void* function = ::dlsym(handle, "extproc_module_factories");
  if (function == nullptr) return std::nullopt;
  const auto list = reinterpret_cast<std::size_t (*)(ModuleFactory*, std::size_t)>(function);
  std::vector<ModuleFactory> exports(list(nullptr, 0));
  list(exports.data(), exports.size());
  return exports;
}

std::vector<ModuleFactory> load_exports(const fs::path& file) {
  // With a slash in it, so that the dynamic loader takes this file and does not search for one.
  void* handle = ::dlopen(fs::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw Error(std::string("cannot load a module: ") + ::dlerror());
  // Never closed: its code and types are in use from here on.
  auto exports = exports_of(handle);
  if (!exports) {
    throw Error(file.string() +
                " was built with headers from before this version was released: build it again");
  }
  return *std::move(exports);
}

Service make_service(const ModuleFactory& found, const std::string& name,
                     const OwnSettings& settings) {
  bool taken = false;
  const std::string where = settings.where();
  const std::string file = where.substr(0, where.rfind(':') + 1);
  try {
    Service service = found.factory(settings, taken);
    if (taken || settings.empty()) return service;
  } catch (...) {
    const std::string what = what_was_thrown();
    // What is wrong in their file is told by its place alone.
    if (!file.empty() && what.starts_with(file)) throw;
    throw Error("making " + name + " failed: " + what);
  }
  throw Error((where.empty() ? "" : where + ": ") + name +
              " takes no settings of its own: leave them out, or let it be made from a const "
              "OwnSettings& (extproc/own_settings.h)");
}

/// `shown` and `file`: for errors.
Service find_service(const std::vector<ModuleFactory>& exports, const std::string& name,
                     const std::string& shown, const std::string& file,
                     const OwnSettings& settings) {
  const auto found = std::ranges::find(exports, name, &ModuleFactory::name);
  if (found != exports.end()) return make_service(*found, shown, settings);
  std::set<std::string> names;
  for (const ModuleFactory& other : exports) names.insert(other.name);
  throw Error(file + " exports no " + name +
              (names.empty() ? "; it exports nothing" : "; it exports: " + join(names)));
}

void add_folders(std::string_view list, std::vector<fs::path>& folders) {
  std::istringstream stream{std::string(list)};
  for (std::string folder; std::getline(stream, folder, ':');) {
    if (!folder.empty()) folders.emplace_back(folder);
  }
}

}  // namespace

ServiceSpec parse_service_spec(std::string_view text) {
  const std::size_t dot = text.rfind('.');
  if (dot != std::string_view::npos) {
    const std::string_view module = text.substr(0, dot);
    const std::string_view name = text.substr(dot + 1);
    const std::string word = std::string(kLetters) + std::string(kDigits);
    const bool is_name = consists_of(name, word) && kDigits.find(name.front()) == std::string::npos;
    if (consists_of(module, word + ".-") && !module.starts_with('.') && is_name) {
      return {std::string(module), std::string(name)};
    }
  }
  throw Error("\"" + std::string(text) +
              "\" does not name a service: it must be module.Name, as in "
              "examples.TrivialExtProcService, for the processor that examples.so exports as "
              "TrivialExtProcService");
}

fs::path program_folder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

std::vector<fs::path> module_folders(const std::vector<std::string>& given, const fs::path& own) {
  std::vector<fs::path> folders;
  for (const std::string& list : given) add_folders(list, folders);
  if (const char* list = std::getenv("EXTPROC_MODULE_PATH")) add_folders(list, folders);
  if (!own.empty()) folders.push_back(own);
  std::error_code error;
  folders.push_back(fs::current_path(error));
  return folders;
}

Service load_service(const ServiceSpec& spec, const std::vector<fs::path>& folders,
                     const OwnSettings& settings) {
  const fs::path file = find_module(spec.module, folders);
  check_fits(file);
  return find_service(load_exports(file), spec.name, spec.module + "." + spec.name, file.string(),
                      settings);
}

std::optional<Service> find_linked(void* handle, std::string_view name,
                                   const OwnSettings& settings) {
  const auto exports = exports_of(handle);
  if (!exports) return std::nullopt;
  const std::string text(name);
  return find_service(*exports, text, text, "the filter's own file", settings);
}

}  // namespace extproc::modules
