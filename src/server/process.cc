#include "server/process.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <initializer_list>

namespace extproc::server {

void open_standard_files() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(file, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest number that is free is this one.
    if (::open("/dev/null", O_RDWR) < 0) return;
  }
}

void ignore_signals() {
  for (const int signal : {SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_IGN);
}

void tune_allocator() {
#ifdef __GLIBC__
  // Blocks of so much are mapped, and unmapped when they are freed: above what bodies have that
  // Envoy buffers, since each page of them would be a fault anew.
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  // What may be free at the end of a heap.
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
#endif
}

namespace {

const std::chrono::system_clock::time_point began = std::chrono::system_clock::now();

/// So much more is worth the work.
constexpr std::size_t kWorthIt = std::size_t{8} << 20;
constexpr unsigned kMostLooksBetween = 150;

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

std::chrono::system_clock::time_point process_start() { return began; }

MemoryTrimmer::MemoryTrimmer() : first_resident_(resident_bytes()) {}

void MemoryTrimmer::look(std::size_t held) {
  const std::size_t resident = resident_bytes();
  most_held_ = std::max(most_held_, held);
  ++looks_;
  const bool given_up = most_held_ >= held + kWorthIt;
  const bool due = looks_ >= looks_between_ && resident >= first_resident_ + 2 * kWorthIt;
  if (!given_up && !due) return;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  const bool worked = resident_bytes() + kWorthIt <= resident;
  looks_between_ = given_up || worked ? 1 : std::min(looks_between_ * 2, kMostLooksBetween);
  looks_ = 0;
  most_held_ = held;
}

}  // namespace extproc::server
