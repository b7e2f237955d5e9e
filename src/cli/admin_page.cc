#include "cli/admin_page.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cstring>

#include "base/unique_fd.h"
#include "server/listen_address.h"

namespace extproc::cli {
namespace {

constexpr timeval kPatience{.tv_sec = 2, .tv_usec = 0};

UniqueFd connected(int family, const void* address, std::size_t size) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return {};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  const auto* generic = static_cast<const sockaddr*>(address);
  if (::connect(fd.get(), generic, static_cast<socklen_t>(size)) != 0) return {};
  return fd;
}

UniqueFd connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return {};
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return connected(AF_UNIX, &address, sizeof address);
}

UniqueFd connect_to(const std::string& text) {
  if (text.starts_with('/')) return connect_unix(text);
  const auto endpoint = server::parse_listen_address("admin address", text);
  const auto* tcp = std::get_if<server::TcpAddress>(&endpoint);
  if (tcp == nullptr) return {};
  const auto port = htons(static_cast<std::uint16_t>(tcp->port));
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = port, .sin_addr = {}, .sin_zero = {}};
  if (::inet_pton(AF_INET, tcp->host.c_str(), &v4.sin_addr) == 1) {
    return connected(AF_INET, &v4, sizeof v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = port;
  if (::inet_pton(AF_INET6, tcp->host.c_str(), &v6.sin6_addr) != 1) return {};
  return connected(AF_INET6, &v6, sizeof v6);
}

}  // namespace

std::optional<std::string> get_admin_page(const std::string& address, std::string_view path) {
  const UniqueFd fd = connect_to(address);
  if (!fd) return std::nullopt;
  const std::string request =
      "GET " + std::string(path) + " HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n";
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return std::nullopt;
  }
  std::string answer;
  std::array<char, 4096> buffer{};
  for (ssize_t size = 0; (size = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0;) {
    answer.append(buffer.data(), static_cast<std::size_t>(size));
  }
  const std::size_t end = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 200") || end == std::string::npos) return std::nullopt;
  // A chunked body keeps the sizes of its chunks; they are lines of their own.
  return answer.substr(end + 4);
}

}  // namespace extproc::cli
