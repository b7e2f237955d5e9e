#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "cli/deadline.h"
#include "server/listen_address.h"

namespace extproc::cli {

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

/// What an address stands for, at least one. Looks names up, for no longer than the deadline. A
/// port alone is one of this machine. Throws Error.
std::vector<SocketAddress> find_peer(const server::ListenAddress& address,
                                     const Deadline& deadline);

/// A connection to a server, from the client's side. Throws Error.
class PeerSocket {
 public:
  /// To the first of the addresses that answers; each gets its share of the time.
  PeerSocket(const std::vector<SocketAddress>& addresses, const Deadline& deadline);

  enum class Came { bytes, end, nothing };
  /// Sends what goes of `output`, and takes it from there, until bytes came, which are appended to
  /// `input`, or the peer closed the connection; nothing: the deadline is over.
  Came exchange(std::string& output, std::string& input, const Deadline& deadline);
  /// Sends what goes of it at once, where the connection is given up.
  void send_last(std::string output);

 private:
  void send(std::string& output);

  UniqueFd fd_;
};

}  // namespace extproc::cli
