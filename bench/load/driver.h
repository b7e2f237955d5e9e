#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "connection.h"
#include "options.h"

namespace bench::load {

/// Connections in one epoll loop.
class Driver {
 public:
  /// Its connections are those that the options tell. Throws when one cannot be made.
  Driver(const Options& options, const Script& script, Listener& listener);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  std::size_t size() const { return connections_.size(); }
  Connection& at(std::size_t i) { return *connections_[i]; }

  /// Reads and writes whatever can be, waiting for at most `timeout_ms`. Throws when a connection
  /// was lost.
  void step(int timeout_ms);
  /// Writes to all of them, after streams were opened or finished from outside.
  void flush_all();

 private:
  void run(Connection& connection, bool readable);

  int epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace bench::load
