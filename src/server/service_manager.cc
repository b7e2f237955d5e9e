#include "extproc/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/unique_fd.h"
#include "extproc/error.h"
#include "server/environment.h"
#include "server/passed_sockets.h"
#include "server/values.h"

namespace extproc {
namespace {

/// As the protocol has it.
constexpr int kFirstPassed = 3;
/// Above what a service manager hands over, and any number that adding to would wrap.
constexpr std::uint64_t kMostPassed = 1'024;

/// A name for each, as "a:b::d" has it.
std::vector<std::string> read_names(const std::string& text) {
  std::vector<std::string> names(1);
  for (const char c : text) {
    if (c == ':') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  return names;
}

std::string described(const PassedSocket& socket) {
  const std::string name = socket.name.empty() ? "" : " (\"" + socket.name + "\")";
  return "the passed descriptor " + std::to_string(socket.fd) + name;
}

/// Whether the variables are meant for this process, and not for one that started it.
bool is_for_this_process() {
  const auto text = server::process_environment("LISTEN_PID");
  if (!text) return false;
  const auto pid = server::parse_count(*text);
  if (!pid) server::refuse_value("LISTEN_PID", *text, "the id of the process that sockets are for");
  return *pid == static_cast<std::uint64_t>(::getpid());
}

/// "/path", or "@name" of the abstract namespace; nothing for others.
std::optional<sockaddr_un> notify_address(const std::string& text, socklen_t& size) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (text.size() < 2 || text.size() >= sizeof address.sun_path) return std::nullopt;
  if (text.front() != '/' && text.front() != '@') return std::nullopt;
  text.copy(address.sun_path, sizeof address.sun_path);
  const bool abstract = text.front() == '@';
  if (abstract) address.sun_path[0] = '\0';
  size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + (abstract ? 0 : 1));
  return address;
}

}  // namespace

std::vector<PassedSocket> passed_sockets() {
  const auto text = server::process_environment("LISTEN_FDS");
  if (!text || !is_for_this_process()) return {};
  const auto count = server::parse_count(*text);
  if (!count || *count == 0 || *count > kMostPassed) {
    server::refuse_value("LISTEN_FDS", *text,
                         "the number of sockets, which are the descriptors from 3 upward");
  }
  std::vector<PassedSocket> sockets(*count);
  const auto names = server::process_environment("LISTEN_FDNAMES");
  if (names) {
    std::vector<std::string> read = read_names(*names);
    if (read.size() != *count) {
      server::refuse_value(
          "LISTEN_FDNAMES", *names,
          "a name for each of the " + *text + " sockets of LISTEN_FDS, with colons between them");
    }
    for (std::size_t i = 0; i < sockets.size(); ++i) sockets[i].name = std::move(read[i]);
  }
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    sockets[i].fd = kFirstPassed + static_cast<int>(i);
    server::check_listening(sockets[i].fd, described(sockets[i]));
    ::fcntl(sockets[i].fd, F_SETFD, FD_CLOEXEC);
  }
  return sockets;
}

bool notify_service_manager(std::string_view state) {
  const auto path = server::process_environment("NOTIFY_SOCKET");
  if (!path) return false;
  socklen_t size = 0;
  const auto address = notify_address(*path, size);
  if (!address) return false;
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return false;
  const auto sent = ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&*address), size);
  return sent == static_cast<ssize_t>(state.size());
}

}  // namespace extproc
