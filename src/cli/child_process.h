#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace extproc::cli {

/// A program that runs beside this one, and ends with it. Its output goes to a file. It has a
/// process group of its own, so that a Ctrl-C does not reach it by itself.
class ChildProcess {
 public:
  /// Throws Error when the program cannot be started.
  ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& log);
  /// Ends it at once, if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// How it ended, in words, once it did: "status 1", "signal 11".
  const std::optional<std::string>& ended();

  /// Asks it to end, and ends it after `patience`.
  void stop(std::chrono::milliseconds patience);

 private:
  pid_t pid_ = -1;
  std::optional<std::string> end_;
};

}  // namespace extproc::cli
