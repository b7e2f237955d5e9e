#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "server/listen_address.h"

namespace extproc::server {

/// A socket that listens. It takes a Unix domain socket's file away when it is closed.
class BoundSocket {
 public:
  explicit BoundSocket(UniqueFd fd) : fd_(std::move(fd)) {}
  BoundSocket(UniqueFd fd, std::string path);
  BoundSocket(BoundSocket&& other) noexcept;
  BoundSocket& operator=(BoundSocket&&) = delete;
  ~BoundSocket();

  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  std::string path_;
  // Of the file that was made, so that another server's at the same path is left alone.
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// What an address is for.
struct BindOptions {
  /// Which setting chooses another, where it is not that of the server itself.
  std::string_view flag{};
  /// A Unix domain socket is for its owner alone.
  bool owner_alone = false;
};

/// Listens on the address; a host's name may stand for several. Throws Error with the reason.
std::vector<BoundSocket> bind_sockets(const ListenAddress& address, BindOptions options = {});

/// The address that a socket is bound to, as describe() writes it.
std::string describe_bound(int fd);

/// "127.0.0.1:80", "[::1]:80", or "unix:" with the path where there is one. IPv4 mapped into IPv6
/// is written as IPv4.
std::string describe(const sockaddr_storage& address, socklen_t size);

}  // namespace extproc::server
