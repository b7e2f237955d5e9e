#pragma once

#include <unistd.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace extproc::log {

/// Standard error or output, or a file that lines are appended to. One thread at a time.
class LogFile {
 public:
  /// Standard error.
  LogFile() = default;
  static LogFile standard_output();
  /// Made where there is none. Throws Error with the reason when it cannot be written to.
  explicit LogFile(std::string path);

  const std::string& path() const { return path_; }

  /// Opens the path anew, which another file may have by now. The reason why not, the old file then
  /// being kept, or nothing.
  std::string reopen();

  /// Writes lines, each with its newline, as they can be written without waiting for whoever reads
  /// them for more than a moment at a time; after each moment `gives_up` is asked. How many lines
  /// were lost: because it gave up, or they could not be written.
  std::size_t write(std::string_view lines, const std::function<bool()>& gives_up);

 private:
  /// False when it gave up, or it cannot be written to.
  bool write_piece(std::string_view piece, const std::function<bool()>& gives_up) const;
  int fd() const;

  std::string path_;
  UniqueFd file_;
  int standard_fd_ = STDERR_FILENO;
};

}  // namespace extproc::log
