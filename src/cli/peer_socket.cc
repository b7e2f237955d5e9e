#include "cli/peer_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <future>
#include <iterator>
#include <limits>
#include <memory>
#include <thread>
#include <utility>

#include "extproc/error.h"

namespace extproc::cli {
namespace {

using Clock = Deadline::Clock;

struct Lookup {
  int error = 0;         // of getaddrinfo
  int system_error = 0;  // where that is EAI_SYSTEM
  std::vector<SocketAddress> found;
};

Lookup look_up(const std::string& host, const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  Lookup lookup;
  lookup.error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  lookup.system_error = errno;
  if (lookup.error != 0) return lookup;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    SocketAddress& address = lookup.found.emplace_back();
    std::memcpy(&address.bytes, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
  }
  ::freeaddrinfo(list);
  return lookup;
}

/// A name is looked up on a thread of its own, since nothing ends that; the process does not wait
/// for it.
Lookup look_up_name(const std::string& host, const std::string& port, const Deadline& deadline) {
  const auto promise = std::make_shared<std::promise<Lookup>>();
  auto future = promise->get_future();
  std::thread([promise, host, port] { promise->set_value(look_up(host, port, 0)); }).detach();
  if (future.wait_until(deadline.end()) != std::future_status::ready) {
    throw Error("the name " + host + " could not be looked up: timed out after " + deadline.text());
  }
  return future.get();
}

std::vector<SocketAddress> find_host(const std::string& host, const std::string& port,
                                     const Deadline& deadline) {
  Lookup lookup = look_up(host, port, AI_NUMERICHOST);
  if (lookup.error == EAI_NONAME) lookup = look_up_name(host, port, deadline);
  if (lookup.error == 0 && !lookup.found.empty()) return std::move(lookup.found);
  const char* why = lookup.error == EAI_SYSTEM ? std::strerror(lookup.system_error)
                                               : ::gai_strerror(lookup.error);
  throw Error("the name " + host + " could not be looked up: " + why);
}

SocketAddress unix_address(const std::string& path) {
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  std::copy_n(path.begin(), std::min(path.size(), server::kLongestPath), local.sun_path);
  SocketAddress address;
  std::memcpy(&address.bytes, &local, sizeof local);
  address.size = sizeof local;
  return address;
}

/// What is left until then, rounded up, as poll() takes it.
int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  using Limits = std::numeric_limits<int>;
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, Limits::max()));
}

/// Whether there is something to do before `end`.
bool wait_for(int fd, int events, Clock::time_point end) {
  pollfd polled{fd, static_cast<short>(events), 0};
  while (true) {
    const int count = ::poll(&polled, 1, milliseconds_until(end));
    if (count > 0) return true;
    // It may have been more than poll() can wait for at once.
    if (Clock::now() >= end) return false;
    if (count < 0 && errno != EINTR) return true;
  }
}

/// Of a Unix domain socket whose server does not accept: there is nothing to wait for.
int connect_again(int fd, const SocketAddress& address, Clock::time_point end) {
  constexpr int kPauseMilliseconds = 5;
  while (Clock::now() < end) {
    ::poll(nullptr, 0, kPauseMilliseconds);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address.bytes), address.size) == 0) {
      return 0;
    }
    if (errno != EAGAIN) return errno;
  }
  return ETIMEDOUT;
}

/// The error, or 0.
int connect_one(int fd, const SocketAddress& address, Clock::time_point end) {
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address.bytes), address.size) == 0) return 0;
  if (errno == EAGAIN) return connect_again(fd, address, end);
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  if (!wait_for(fd, POLLOUT, end)) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

std::string connect_error(int error, const Deadline& deadline) {
  switch (error) {
    case ECONNREFUSED:
      return "connection refused: nothing listens there";
    case ETIMEDOUT:
      return "cannot connect: timed out after " + deadline.text();
    case ENOENT:
      return "cannot connect: there is no such socket";
    default:
      return std::string("cannot connect: ") + std::strerror(error);
  }
}

}  // namespace

std::vector<SocketAddress> find_peer(const server::ListenAddress& address,
                                     const Deadline& deadline) {
  if (const auto* local = std::get_if<server::UnixAddress>(&address)) {
    return {unix_address(local->path)};
  }
  const auto& tcp = std::get<server::TcpAddress>(address);
  const std::string port = std::to_string(tcp.port);
  if (!tcp.any_host) return find_host(tcp.host, port, deadline);
  auto loopback = find_host("127.0.0.1", port, deadline);
  std::ranges::copy(find_host("::1", port, deadline), std::back_inserter(loopback));
  return loopback;
}

PeerSocket::PeerSocket(const std::vector<SocketAddress>& addresses, const Deadline& deadline) {
  int told = 0;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto share = (deadline.end() - Clock::now()) / (addresses.size() - i);
    const int family = addresses[i].bytes.ss_family;
    fd_.reset(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int error = fd_ ? connect_one(fd_.get(), addresses[i], Clock::now() + share) : errno;
    if (error == 0) return;
    // Of several that one tells most: without IPv6, say, the other is that there is none.
    if (told == 0 || error == ECONNREFUSED) told = error;
  }
  throw Error(connect_error(told, deadline));
}

void PeerSocket::send(std::string& output) {
  const auto sent = ::send(fd_.get(), output.data(), output.size(), MSG_NOSIGNAL);
  if (sent >= 0) {
    output.erase(0, static_cast<std::size_t>(sent));
  } else if (errno != EAGAIN && errno != EINTR) {
    // What it said before it closed the connection is still to be read.
    output.clear();
  }
}

void PeerSocket::send_last(std::string output) { send(output); }

PeerSocket::Came PeerSocket::exchange(std::string& output, std::string& input,
                                      const Deadline& deadline) {
  std::array<char, 16U << 10> part;
  while (true) {
    if (!output.empty()) send(output);
    const auto size = ::recv(fd_.get(), part.data(), part.size(), 0);
    if (size > 0) {
      input.append(part.data(), static_cast<std::size_t>(size));
      return Clock::now() < deadline.end() ? Came::bytes : Came::nothing;
    }
    if (size == 0 || (errno != EAGAIN && errno != EINTR)) return Came::end;
    const int events = POLLIN | (output.empty() ? 0 : POLLOUT);
    if (!wait_for(fd_.get(), events, deadline.end())) return Came::nothing;
  }
}

}  // namespace extproc::cli
