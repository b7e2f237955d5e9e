#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "extproc/host.h"
#include "host/access.h"
#include "server/socket_connection.h"

namespace extproc::server {

/// A stream that is open, or whose handler runs though it is over.
struct OpenStream {
  exchange::OpenExchange at{};
  /// Empty where its connection is gone.
  std::string peer{};
};

/// Of one I/O thread.
struct OpenStreams {
  /// How many there are.
  std::size_t open = 0;
  /// Of those that were looked at, the oldest first.
  std::vector<OpenStream> shown{};
};

/// The longest that the thread is held up for: streams that are looked at.
inline constexpr std::size_t kMostLookedAt = 4'096;

/// Of the thread of `host`, on it; at most `most` are shown.
OpenStreams open_streams(const std::set<boost::intrusive_ptr<SocketConnection>>& connections,
                         const host::Host& host, std::size_t most);

}  // namespace extproc::server
