#include "socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "tls.h"

namespace bench::load {
namespace {

class PlainSocket final : public Socket {
 public:
  explicit PlainSocket(int fd) : Socket(fd) { do_not_block(fd); }

  ssize_t read(std::span<std::uint8_t> to) override { return recv(fd(), to.data(), to.size(), 0); }
  ssize_t write(std::string_view from) override {
    return send(fd(), from.data(), from.size(), MSG_NOSIGNAL);
  }
};

int connect_unix(const std::string& path) {
  sockaddr_un to{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof to.sun_path) throw std::runtime_error("the path is too long");
  path.copy(to.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::system_error(errno, std::system_category(), path);
  return fd;
}

int connect_tcp(const std::string& address) {
  const auto colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  if (colon == std::string::npos ||
      inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) != 1)
    throw std::runtime_error("not an IPv4 address and port: " + address);
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::system_error(errno, std::system_category(), address);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

Socket::~Socket() { close(fd_); }

void do_not_block(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

Connector connector(const std::string& address, const std::string& tls_ca) {
  if (address.starts_with("unix:"))
    return [path = address.substr(5)] { return std::make_unique<PlainSocket>(connect_unix(path)); };
  if (!tls_ca.empty()) return tls_connector(tls_ca, [address] { return connect_tcp(address); });
  return [address] { return std::make_unique<PlainSocket>(connect_tcp(address)); };
}

}  // namespace bench::load
