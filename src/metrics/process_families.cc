#include "metrics/process_families.h"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace extproc::metrics {
namespace {

/// /proc/self/stat behind the command's name, which may have spaces and brackets.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(text.substr(end + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

double number(const std::string& text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return static_cast<double>(value);
}

/// When the system was started, in seconds since the epoch.
std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  while (file >> word) {
    if (word != "btime") continue;
    double seconds = 0;
    if (file >> seconds) return seconds;
  }
  return std::nullopt;
}

/// The one that reads them is not counted.
std::optional<double> open_files() {
  std::error_code error;
  std::filesystem::directory_iterator files("/proc/self/fd", error);
  double count = 0;
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) ++count;
  if (error || count == 0) return std::nullopt;
  return count - 1;
}

}  // namespace

void add_process(Families& families) {
  const auto add = [&](std::string_view name, Kind kind, std::string_view help, double value) {
    families.get(name, kind, help).add({}, value);
  };
  // Behind the name: the state is the third field of proc(5), and here the first.
  constexpr std::size_t kOffset = 3;
  const auto fields = stat_fields();
  constexpr std::size_t kResident = 24 - kOffset;
  if (fields.size() > kResident) {
    const auto field = [&](std::size_t of_proc) { return number(fields[of_proc - kOffset]); };
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    add("process_virtual_memory_bytes", Kind::gauge, "Virtual memory, in bytes", field(23));
    add("process_resident_memory_bytes", Kind::gauge, "Resident memory, in bytes",
        field(24) * static_cast<double>(sysconf(_SC_PAGESIZE)));
    if (const auto boot = boot_time()) {
      add("process_start_time_seconds", Kind::gauge,
          "When the process was started, in seconds since the epoch", *boot + field(22) / ticks);
    }
  }
  timespec cpu{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0) {
    add("process_cpu_seconds_total", Kind::counter, "CPU time of the process, in seconds",
        static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9);
  }
  if (const auto open = open_files())
    add("process_open_fds", Kind::gauge, "File descriptors that are open", *open);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    add("process_max_fds", Kind::gauge, "File descriptors that may be open",
        static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace extproc::metrics
