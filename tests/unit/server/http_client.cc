#include "server/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cstring>

#include "base/unique_fd.h"
#include "server/listen_address.h"

namespace extproc::server::testing {
namespace {

constexpr timeval kHttpPatience{.tv_sec = 10, .tv_usec = 0};

UniqueFd connected_to(int family, const void* address, std::size_t size) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kHttpPatience, sizeof kHttpPatience);
  const auto* generic = static_cast<const sockaddr*>(address);
  if (::connect(fd.get(), generic, static_cast<socklen_t>(size)) != 0) return {};
  return fd;
}

UniqueFd connect_to_address(const ListenAddress& address) {
  if (const auto* local = std::get_if<UnixAddress>(&address)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    local->path.copy(to.sun_path, sizeof to.sun_path - 1);
    return connected_to(AF_UNIX, &to, sizeof to);
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(std::get<TcpAddress>(address).port));
  return connected_to(AF_INET, &to, sizeof to);
}

}  // namespace

HttpAnswer ask(const std::string& address, std::string_view method, std::string_view target,
               const std::string& headers, std::string_view body) {
  const ListenAddress to = parse_listen_address("address", address);
  const UniqueFd fd = connect_to_address(to);
  if (!fd) return {};
  const bool local = std::holds_alternative<UnixAddress>(to);
  std::string request = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n" + headers;
  if (headers.find("Host:") == std::string::npos)
    request += "Host: " + (local ? "localhost" : address) + "\r\n";
  if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  request.append("Connection: close\r\n\r\n").append(body);
  ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);

  std::string answer;
  std::array<char, 4096> buffer{};
  for (ssize_t size = 0; (size = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0;)
    answer.append(buffer.data(), static_cast<std::size_t>(size));
  const std::size_t end = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 ") || end == std::string::npos) return {};
  return {std::stoi(answer.substr(9, 3)), answer.substr(0, end + 2), answer.substr(end + 4)};
}

}  // namespace extproc::server::testing
