#include "server/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>

namespace extproc::server {
namespace {

constexpr std::size_t kMost = std::size_t{1} << 30;

/// The number in a file; nothing where there is no such file, or "max" in it.
std::optional<std::uint64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

/// Where the process is in a hierarchy of cgroups: that of version 2, or the memory controller's of
/// version 1.
std::optional<std::string> cgroup(const std::string& root, bool version_2) {
  std::ifstream file(root + "/proc/self/cgroup");
  // hierarchy:controllers:path
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool found =
        version_2 ? controllers == ",," : controllers.find(",memory,") != std::string::npos;
    if (found) return line.substr(second + 1);
  }
  return std::nullopt;
}

std::uint64_t least_limit(const std::string& root, bool version_2) {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  auto path = cgroup(root, version_2);
  if (!path) return least;
  const std::string mount = root + (version_2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory");
  const std::string name = version_2 ? "/memory.max" : "/memory.limit_in_bytes";
  // In a container the path may be that of the machine, and only its end be mounted: the root
  // counts.
  while (true) {
    std::string file = mount;
    file.append(*path).append(name);
    if (const auto limit = number_in(file)) least = std::min(least, *limit);
    const auto parent = path->rfind('/');
    if (parent == std::string::npos || *path == "/") return least;
    path->erase(parent);
  }
}

}  // namespace

std::size_t usable_memory(const std::string& root) {
  const auto pages = static_cast<std::uint64_t>(std::max(1L, sysconf(_SC_PHYS_PAGES)));
  const auto page_bytes = static_cast<std::uint64_t>(std::max(1L, sysconf(_SC_PAGESIZE)));
  const std::uint64_t bytes =
      std::min({pages * page_bytes, least_limit(root, true), least_limit(root, false)});
  return static_cast<std::size_t>(bytes);
}

std::size_t default_memory_bytes() { return std::min(usable_memory() / 4, kMost); }

}  // namespace extproc::server
