#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "base/counters.h"
#include "base/logger.h"
#include "server/file_watch.h"
#include "server/transport.h"

namespace extproc::server {

/// Has a transport read its files anew when they change, on a thread of its own, since a file may
/// be on a disk that does not answer; tells and counts what became of it. One thread, that of the
/// io_context, whose work must have ended when it is destroyed.
class TransportWatch {
 public:
  /// `name`: the server's, for the log. All must outlive it.
  TransportWatch(boost::asio::io_context& io, std::shared_ptr<Transport> transport,
                 const Logger& logger, const std::string& name, Counters& counters);
  ~TransportWatch();

  void start();
  /// Reads them soon.
  void reload() { files_.tell(); }
  void close();

 private:
  struct Link;

  void refresh();
  void on_refreshed(const Refreshed& refreshed, std::string warning);
  void warn(std::string warning);

  const std::shared_ptr<Transport> transport_;
  const Logger& logger_;
  const std::string& name_;
  Counters& counters_;
  FileWatch files_;
  /// Shared with the thread, which may outlive this.
  std::shared_ptr<Link> link_;
  bool refreshing_ = false;
  bool again_ = false;
  bool told_slow_ = false;
  /// What was warned of last.
  std::string warning_;
};

}  // namespace extproc::server
