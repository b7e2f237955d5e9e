#include "server/file_watch.h"

#include <sys/inotify.h>

#include <boost/asio/buffer.hpp>
#include <filesystem>
#include <utility>

namespace extproc::server {
namespace {

namespace asio = boost::asio;

constexpr std::uint32_t kChanges =
    IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_ONLYDIR;

}  // namespace

FileWatch::FileWatch(asio::io_context& io, std::vector<std::string> files,
                     std::function<void()> on_change)
    : files_(std::move(files)), on_change_(std::move(on_change)), changes_(io), timer_(io) {}

FileWatch::~FileWatch() { close(); }

void FileWatch::start() {
  if (files_.empty()) return;
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd >= 0) changes_.assign(fd);
  watch_folders();
  if (fd >= 0) wait_for_changes();
  tell_after(kInterval);
}

// Again each time: a folder may be another one under the same name by now.
void FileWatch::watch_folders() {
  if (!changes_.is_open()) return;
  for (const std::string& file : files_) {
    const std::filesystem::path folder = std::filesystem::path(file).parent_path();
    ::inotify_add_watch(changes_.native_handle(), folder.empty() ? "." : folder.c_str(), kChanges);
  }
}

void FileWatch::wait_for_changes() {
  changes_.async_read_some(asio::buffer(events_),
                           [this](const boost::system::error_code& error, std::size_t) {
                             if (error) return;
                             settle();
                             wait_for_changes();
                           });
}

void FileWatch::settle() {
  const auto now = std::chrono::steady_clock::now();
  if (!first_change_) first_change_ = now;
  if (now + kSettle < *first_change_ + kLongestSettle) tell_after(kSettle);
}

void FileWatch::tell() {
  if (!closed_) tell_after(std::chrono::milliseconds::zero());
}

void FileWatch::tell_after(std::chrono::steady_clock::duration time) {
  timer_.expires_after(time);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    first_change_.reset();
    watch_folders();
    on_change_();
    tell_after(kInterval);
  });
}

void FileWatch::close() {
  closed_ = true;
  boost::system::error_code ignored;
  changes_.close(ignored);
  timer_.cancel();
}

}  // namespace extproc::server
