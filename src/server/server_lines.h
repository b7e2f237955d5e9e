#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "server/configuration.h"
#include "server/worker.h"

namespace extproc::server {

/// What the log says of a server's life, each line once.
class ServerLines {
 public:
  using Workers = std::span<const std::unique_ptr<Worker>>;

  /// All must outlive it.
  ServerLines(const Logger& logger, const std::string& name, const Configuration& configuration)
      : logger_(logger), name_(name), configuration_(configuration) {}

  /// What was unset came from these variables.
  void read_from(const std::vector<std::string>& variables) const;
  /// The environment asks for traces in a way that cannot be used; nothing where `why` is empty.
  void has_no_traces(const std::string& why) const;
  void listens(const std::string& address, std::size_t threads) const;
  void shows_metrics(const std::string& address) const;
  void sends_spans(const std::string& peer) const;
  /// Connections at `address` are in the clear.
  void stays_clear(const std::string& address) const;
  /// `source`: who has changed it.
  void level_changes(LogLevel before, LogLevel now, std::string_view source) const;
  /// So many streams have not ended within the grace period.
  void cuts_streams(std::uint64_t open) const;
  /// Names handlers that have not returned though the grace period is over; how many there are.
  std::size_t still_running(Workers workers) const;
  void ended() const;

 private:
  void tell(LogLevel level, const std::string& text) const;

  const Logger& logger_;
  const std::string& name_;
  const Configuration& configuration_;
};

}  // namespace extproc::server
