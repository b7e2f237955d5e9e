#include "log/log_file.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "extproc/error.h"
#include "log/line_buffer.h"

namespace extproc::log {
namespace {

constexpr int kMomentMs = 50;
constexpr mode_t kMode = 0644;

// A pipe without a reader is refused instead of waited for.
UniqueFd open_to_append(const std::string& path) {
  return UniqueFd(::open(path.c_str(),
                         O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, kMode));
}

/// As many whole lines as a pipe takes in one piece, or one that is longer.
std::string_view first_piece(std::string_view lines) {
  if (lines.size() <= kLineBytes) return lines;
  const auto last = lines.rfind('\n', kLineBytes - 1);
  return lines.substr(0, (last == lines.npos ? lines.find('\n', kLineBytes) : last) + 1);
}

std::size_t count_lines(std::string_view lines) {
  return static_cast<std::size_t>(std::ranges::count(lines, '\n'));
}

}  // namespace

LogFile::LogFile(std::string path) : path_(std::move(path)), file_(open_to_append(path_)) {
  if (!file_) throw Error("cannot write the log to \"" + path_ + "\": " + std::strerror(errno));
}

LogFile LogFile::standard_output() {
  LogFile file;
  file.standard_fd_ = STDOUT_FILENO;
  return file;
}

std::string LogFile::reopen() {
  if (path_.empty()) return {};
  UniqueFd file = open_to_append(path_);
  if (!file) return std::strerror(errno);
  file_ = std::move(file);
  return {};
}

std::size_t LogFile::write(std::string_view lines, const std::function<bool()>& gives_up) {
  std::size_t lost = 0;
  while (!lines.empty()) {
    const std::string_view piece = first_piece(lines);
    lines.remove_prefix(piece.size());
    if (write_piece(piece, gives_up)) continue;
    lost += count_lines(piece);
    // Not a moment for each of the rest.
    if (gives_up()) return lost + count_lines(lines);
  }
  return lost;
}

bool LogFile::write_piece(std::string_view piece, const std::function<bool()>& gives_up) const {
  while (!piece.empty()) {
    pollfd ready{.fd = fd(), .events = POLLOUT, .revents = 0};
    const int count = ::poll(&ready, 1, kMomentMs);
    if (count == 0 || (count < 0 && errno == EINTR)) {
      if (gives_up()) return false;
      continue;
    }
    const ssize_t written = ::write(ready.fd, piece.data(), piece.size());
    if (written >= 0) {
      piece.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      if (gives_up()) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

int LogFile::fd() const { return path_.empty() ? standard_fd_ : file_.get(); }

}  // namespace extproc::log
