#include "server/bound_socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>

#include "extproc/error.h"

namespace extproc::server {
namespace {

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

/// The system call that failed, told in the words of whoever chose the address.
[[noreturn]] void refuse(const ListenAddress& address, const BindOptions& options, int error) {
  const auto* tcp = std::get_if<TcpAddress>(&address);
  const bool port_only = tcp != nullptr && tcp->any_host;
  const std::string what = port_only ? "port " + std::to_string(tcp->port) : to_string(address);
  switch (error) {
    case EADDRINUSE:
      throw Error(what + " is in use: stop what listens there, or choose another with " +
                  std::string(!options.flag.empty() ? options.flag
                              : port_only           ? "--port / GRPC_PORT"
                                                    : "--listen"));
    case EACCES:
      if (tcp == nullptr) throw Error(what + ": no permission to make a socket in that folder");
      throw Error(what + ": no permission; ports below 1024 are often for root only");
    case EADDRNOTAVAIL:
      throw Error(what + ": this machine does not have the address");
    default:
      throw Error(what + ": cannot listen: " + std::strerror(error));
  }
}

UniqueFd open_socket(int family) {
  return UniqueFd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/// A listening socket, or none, with the reason in errno.
UniqueFd listen_on(const Endpoint& endpoint, bool dual_stack, bool owner_alone = false) {
  UniqueFd fd = open_socket(endpoint.family());
  if (!fd) return fd;
  // The file is made with the rights that its socket has.
  const bool ready = (!owner_alone || ::fchmod(fd.get(), S_IRUSR | S_IWUSR) == 0) &&
                     set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1) &&
                     (endpoint.family() != AF_INET6 ||
                      set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, dual_stack ? 0 : 1)) &&
                     ::bind(fd.get(), endpoint.get(), endpoint.size) == 0 &&
                     ::listen(fd.get(), SOMAXCONN) == 0;
  if (ready) return fd;
  const int reason = errno;
  fd.reset();
  errno = reason;
  return fd;
}

std::vector<Endpoint> lookup(const TcpAddress& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) {
    throw Error("the host of " + to_string(address) + " is not known: " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::vector<Endpoint> endpoints;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    Endpoint& endpoint = endpoints.emplace_back();
    std::memcpy(&endpoint.storage, info->ai_addr, info->ai_addrlen);
    endpoint.size = info->ai_addrlen;
  }
  return endpoints;
}

int bound_port(int fd) {
  Endpoint bound;
  bound.size = sizeof bound.storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size);
  // The port is at the same place for IPv4 and IPv6.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&bound.storage)->sin_port);
}

void set_port(Endpoint& endpoint, int port) {
  reinterpret_cast<sockaddr_in*>(&endpoint.storage)->sin_port =
      htons(static_cast<std::uint16_t>(port));
}

std::vector<BoundSocket> bind_tcp(const TcpAddress& address, const BindOptions& options) {
  std::vector<BoundSocket> sockets;
  int reason = 0;
  for (Endpoint& endpoint : lookup(address)) {
    // One port for all addresses of a name, where the system chose it.
    if (!sockets.empty()) set_port(endpoint, bound_port(sockets.front().fd()));
    UniqueFd fd = listen_on(endpoint, address.host == "::");
    if (!fd && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
      // "localhost" stands for ::1 also where there is no IPv6.
      reason = errno;
      continue;
    }
    if (!fd) refuse(address, options, errno);
    sockets.emplace_back(std::move(fd));
  }
  if (sockets.empty() && address.any_host && address.host == "::") {
    return bind_tcp(TcpAddress{"0.0.0.0", address.port, true}, options);
  }
  if (sockets.empty()) refuse(address, options, reason);
  return sockets;
}

Endpoint local_endpoint(const UnixAddress& address) {
  Endpoint endpoint;
  auto* local = reinterpret_cast<sockaddr_un*>(&endpoint.storage);
  local->sun_family = AF_UNIX;
  // The address was checked to fit when it was parsed.
  address.path.copy(local->sun_path, sizeof local->sun_path - 1);
  endpoint.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.path.size() + 1);
  return endpoint;
}

/// Takes away the file that a server left which did not end in good order.
void remove_stale(const UnixAddress& address, const BindOptions& options,
                  const Endpoint& endpoint) {
  struct stat file {};
  if (::lstat(address.path.c_str(), &file) != 0) return;
  if (!S_ISSOCK(file.st_mode)) {
    throw Error(to_string(address) + ": the file is there and is not a socket");
  }
  const UniqueFd probe = open_socket(AF_UNIX);
  if (!probe) refuse(address, options, errno);
  const bool answered = ::connect(probe.get(), endpoint.get(), endpoint.size) == 0;
  // A full backlog (EAGAIN) also means that somebody listens.
  if (answered || errno == EAGAIN) refuse(address, options, EADDRINUSE);
  if (errno != ECONNREFUSED) refuse(address, options, errno);
  ::unlink(address.path.c_str());
}

std::vector<BoundSocket> bind_unix(const UnixAddress& address, const BindOptions& options) {
  const Endpoint endpoint = local_endpoint(address);
  remove_stale(address, options, endpoint);
  UniqueFd fd = listen_on(endpoint, false, options.owner_alone);
  if (!fd && errno == ENOENT) throw Error(to_string(address) + ": the folder does not exist");
  if (!fd) refuse(address, options, errno);
  std::vector<BoundSocket> sockets;
  sockets.emplace_back(std::move(fd), address.path);
  return sockets;
}

std::string describe_v6(const sockaddr_in6& address, in_port_t port) {
  char text[INET6_ADDRSTRLEN] = {};
  if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
    ::inet_ntop(AF_INET, &address.sin6_addr.s6_addr[12], text, sizeof text);
    return std::string(text) + ":" + std::to_string(port);
  }
  ::inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
  return std::string("[").append(text).append("]:").append(std::to_string(port));
}

}  // namespace

BoundSocket::BoundSocket(UniqueFd fd, std::string path)
    : fd_(std::move(fd)), path_(std::move(path)) {
  struct stat file {};
  if (::lstat(path_.c_str(), &file) == 0) {
    device_ = file.st_dev;
    inode_ = file.st_ino;
  }
}

BoundSocket::BoundSocket(BoundSocket&& other) noexcept
    : fd_(std::move(other.fd_)),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

BoundSocket::~BoundSocket() {
  if (path_.empty()) return;
  struct stat file {};
  const bool ours =
      ::lstat(path_.c_str(), &file) == 0 && file.st_dev == device_ && file.st_ino == inode_;
  if (ours) ::unlink(path_.c_str());
}

std::vector<BoundSocket> bind_sockets(const ListenAddress& address, BindOptions options) {
  if (const auto* local = std::get_if<UnixAddress>(&address)) return bind_unix(*local, options);
  return bind_tcp(std::get<TcpAddress>(address), options);
}

std::string describe_bound(int fd) {
  Endpoint bound;
  bound.size = sizeof bound.storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size);
  return describe(bound.storage, bound.size);
}

std::string describe(const sockaddr_storage& address, socklen_t size) {
  switch (address.ss_family) {
    case AF_INET: {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
      char text[INET_ADDRSTRLEN] = {};
      ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
      return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
    }
    case AF_INET6: {
      const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
      return describe_v6(v6, ntohs(v6.sin6_port));
    }
    default: {
      // A client's socket mostly has no path.
      const std::size_t offset = offsetof(sockaddr_un, sun_path);
      const auto& local = reinterpret_cast<const sockaddr_un&>(address);
      const std::size_t room = size > offset ? size - offset : 0;
      return "unix:" + std::string(local.sun_path, ::strnlen(local.sun_path, room));
    }
  }
}

}  // namespace extproc::server
