#pragma once

#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/log.h"
#include "extproc/server.h"
#include "server/open_streams.h"
#include "server/settings_in_force.h"
#include "server/transport.h"

namespace extproc::server {

/// One server as the admin service sees it. Any thread, from its start until its I/O threads have
/// ended.
class AdminView {
 public:
  virtual const std::string& name() const = 0;
  virtual std::string address() const = 0;
  virtual std::vector<SettingInForce> settings() const = 0;
  virtual Stats stats() const = 0;
  /// Of each of its I/O threads, asked at once; see Worker::open_streams().
  virtual std::vector<std::future<OpenStreams>> open_streams(std::size_t most) const = 0;
  /// Null in clear text.
  virtual const Transport* transport() const = 0;
  virtual LogLevel log_level() const = 0;
  /// `source` is from where it is set.
  virtual void set_log_level(LogLevel level, std::string_view source) = 0;

 protected:
  ~AdminView() = default;
};

}  // namespace extproc::server
