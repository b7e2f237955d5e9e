#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace extproc::server {

/// Calls back when files may have changed. It is the folders that are watched, since a file is
/// often replaced: by rename, or, as Kubernetes does it, by a link beside it that is turned to
/// another folder. One thread, that of the io_context, whose work must have ended when it is
/// destroyed.
class FileWatch {
 public:
  /// From the last change until it is told, so that several files are read together.
  static constexpr std::chrono::milliseconds kSettle{250};
  /// In a folder in which something changes all the time.
  static constexpr std::chrono::seconds kLongestSettle{2};
  /// It is told so often anyway, since some mounts tell of no change.
  static constexpr std::chrono::seconds kInterval{60};

  FileWatch(boost::asio::io_context& io, std::vector<std::string> files,
            std::function<void()> on_change);
  ~FileWatch();

  void start();
  /// Tells soon, whether or not something changed.
  void tell();
  void close();

 private:
  void watch_folders();
  void wait_for_changes();
  void settle();
  void tell_after(std::chrono::steady_clock::duration time);

  const std::vector<std::string> files_;
  const std::function<void()> on_change_;
  /// inotify; closed where the system has none to give.
  boost::asio::posix::stream_descriptor changes_;
  boost::asio::steady_timer timer_;
  std::array<char, 4096> events_{};
  std::optional<std::chrono::steady_clock::time_point> first_change_;
  bool closed_ = false;
};

}  // namespace extproc::server
