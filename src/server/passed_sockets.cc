#include "server/passed_sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "base/unique_fd.h"
#include "extproc/error.h"

namespace extproc::server {
namespace {

constexpr std::string_view kUnixScheme = "unix:";

std::optional<int> option_of(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(fd, SOL_SOCKET, name, &value, &size) != 0) return std::nullopt;
  return value;
}

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::string quoted_names(const std::vector<PassedSocket>& sockets) {
  std::string names;
  for (const PassedSocket& socket : sockets)
    names += (names.empty() ? "\"" : ", \"") + socket.name + "\"";
  return names;
}

/// Where a service, or the settings for those that have none, say an address as well.
std::optional<std::string> given_address(const std::vector<Served>& services) {
  for (const auto& [service, settings] : services) {
    if (service.address()) return *service.address();
    if (settings.listen) return *settings.listen;
    if (settings.port) return std::to_string(*settings.port);
  }
  return std::nullopt;
}

using ByName = std::map<std::string, std::vector<int>>;

/// The sockets of each service; none where no socket has the name of one.
ByName by_names(const std::vector<Served>& services, const std::vector<PassedSocket>& sockets) {
  ByName result;
  for (const Served& served : services) result[served.service.name()];
  const auto is_named = [&](const PassedSocket& socket) { return result.contains(socket.name); };
  if (std::ranges::none_of(sockets, is_named)) return {};
  if (result.size() != services.size()) {
    throw Error(
        "sockets are named after processors (LISTEN_FDNAMES), and two of those have the "
        "same name: hand the sockets over in the order of the processors, with other "
        "names");
  }
  for (const PassedSocket& socket : sockets) {
    if (!is_named(socket)) {
      throw Error("the passed socket \"" + socket.name +
                  "\" is named after no processor, and others are (" + quoted_names(sockets) +
                  "): name all of them (FileDescriptorName=), or none");
    }
    result[socket.name].push_back(socket.fd);
  }
  for (const auto& [name, own] : result) {
    if (own.empty()) {
      throw Error("no passed socket is for " + name + "; there are: " + quoted_names(sockets) +
                  ": give each processor one (FileDescriptorName=)");
    }
  }
  return result;
}

}  // namespace

void check_listening(int fd, const std::string& what) {
  const auto family = option_of(fd, SO_DOMAIN);
  if (!family && errno == EBADF) throw Error(what + " is not open");
  if (!family) throw Error(what + " is not a socket: ListenStream= makes one");
  if (*family != AF_INET && *family != AF_INET6 && *family != AF_UNIX) {
    throw Error(what + " is of address family " + std::to_string(*family) +
                ": a server knows IPv4, IPv6 and Unix domain sockets");
  }
  if (option_of(fd, SO_TYPE) != SOCK_STREAM) {
    throw Error(what + " is not a stream socket: ListenStream= makes one");
  }
  if (option_of(fd, SO_ACCEPTCONN) != 1) {
    throw Error(what + " does not listen: Accept= of a socket unit must be no");
  }
}

ListenAddress bound_address(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  if (address.ss_family == AF_UNIX) {
    const auto& local = reinterpret_cast<const sockaddr_un&>(address);
    if (local.sun_path[0] == '\0' && size > offsetof(sockaddr_un, sun_path) + 1) {
      const std::size_t length = size - offsetof(sockaddr_un, sun_path) - 1;
      return UnixAddress{"@" + std::string(local.sun_path + 1, length)};
    }
    return UnixAddress{describe(address, size).substr(kUnixScheme.size())};
  }
  const std::string text = describe(address, size);
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return TcpAddress{std::move(host), std::stoi(text.substr(colon + 1)), false};
}

std::vector<BoundSocket> adopt_sockets(const std::vector<int>& sockets) {
  for (const int fd : sockets) check_listening(fd, "the socket " + std::to_string(fd));
  std::vector<BoundSocket> adopted;
  for (const int fd : sockets) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    adopted.emplace_back(UniqueFd(fd));
  }
  return adopted;
}

std::vector<Served> on_passed_sockets(std::vector<Served> services,
                                      const std::vector<PassedSocket>& sockets) {
  if (const auto address = given_address(services)) {
    throw Error("the service manager hands over " + counted(sockets.size(), "socket") +
                " to listen on (LISTEN_FDS), and \"" + *address +
                "\" is given as well: leave out the address (--listen, --port, Service::on), or "
                "the sockets");
  }
  const auto give = [](Served& served, std::vector<int> own) {
    served.service = std::move(served.service).on_sockets(std::move(own));
  };
  if (services.size() == 1) {
    std::vector<int> all;
    all.reserve(sockets.size());
    for (const PassedSocket& socket : sockets) all.push_back(socket.fd);
    give(services.front(), std::move(all));
    return services;
  }
  ByName named = by_names(services, sockets);
  if (named.empty() && sockets.size() != services.size()) {
    throw Error("the service manager hands over " + counted(sockets.size(), "socket") +
                " (LISTEN_FDS) for " + counted(services.size(), "processor") +
                ": give each one, in the order of the processors, or named after them "
                "(FileDescriptorName=)");
  }
  for (std::size_t i = 0; i < services.size(); ++i) {
    const std::string& name = services[i].service.name();
    give(services[i], named.empty() ? std::vector<int>{sockets[i].fd} : named[name]);
  }
  return services;
}

}  // namespace extproc::server
