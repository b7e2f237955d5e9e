#pragma once

#include <chrono>
#include <cstddef>

namespace extproc::server {

// What a process that serves is made to be, before all else. Nothing of it is undone.

/// Standard input, output and error are open: on /dev/null where they were not. Else what is opened
/// next would be one of them, and lines meant for people be written to it.
void open_standard_files();

/// SIGHUP, SIGUSR1 and SIGUSR2 do not end it, nor does SIGPIPE, of a log that is a closed pipe.
void ignore_signals();

/// When the library's own data were made, which is about when the process began.
std::chrono::system_clock::time_point process_start();

/// Memory that is free goes back to the system soon. The allocator of the GNU C library else keeps
/// as much as the largest block that was ever freed, and twice that at the end of each of its
/// heaps.
void tune_allocator();

/// Gives memory that is free back to the system, which the allocator keeps for what may come. For
/// programs that are the library's own: it works on all of the process.
class MemoryTrimmer {
 public:
  static constexpr std::chrono::seconds kInterval{2};

  /// What is resident now is what the process needs.
  MemoryTrimmer();

  /// To be called every kInterval. `held`: what peers make the process hold, in bytes. It gives
  /// back when that has become less; and from time to time, the more seldom the less there was to
  /// give, where more is resident than at the start.
  void look(std::size_t held);

 private:
  std::size_t most_held_ = 0;  // since it gave back last
  const std::size_t first_resident_;
  unsigned looks_ = 0;
  unsigned looks_between_ = 1;
};

}  // namespace extproc::server
