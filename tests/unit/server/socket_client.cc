#include "server/socket_client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace extproc::server::testing {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Only a test that fails waits for so long.
constexpr auto kFarTooLong = 30s;

UniqueFd connect_to_port(int port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

UniqueFd connect_to_path(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

}  // namespace

SocketClient::SocketClient(int port, ClientOptions options)
    : peer(options), fd_(connect_to_port(port)) {
  EXPECT_TRUE(fd_) << "no connection to port " << port;
}

SocketClient::SocketClient(const std::string& path, ClientOptions options)
    : peer(options), fd_(connect_to_path(path)) {
  EXPECT_TRUE(fd_) << "no connection to " << path;
}

bool SocketClient::talk_until(const std::function<bool()>& done) {
  for (const auto end = Clock::now() + kFarTooLong; Clock::now() < end;) {
    send_only();
    if (done()) return true;
    if (closed_ || !read_some()) return done();
  }
  return false;
}

bool SocketClient::talk_until_closed() {
  talk_until([] { return false; });
  return closed_;
}

void SocketClient::send_only() { send_bytes(peer.take_output()); }

void SocketClient::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    // The server may have closed; that is seen when it is read from.
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

/// False when the server has closed the connection.
bool SocketClient::read_some() {
  pollfd ready{fd_.get(), POLLIN, 0};
  if (::poll(&ready, 1, 100) == 0) return true;
  std::array<char, 65'536> buffer;
  const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (size <= 0) {
    closed_ = true;
    return false;
  }
  peer.receive({buffer.data(), static_cast<std::size_t>(size)});
  return true;
}

bool SocketClient::failed() const {
  pollfd state{fd_.get(), 0, 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLHUP)) != 0;
}

std::int32_t SocketClient::call(std::string_view path, std::string_view message) {
  const std::int32_t id = peer.open_call(path);
  peer.send_message(id, message);
  EXPECT_TRUE(talk_until([&] { return !peer.stream(id).messages().empty(); })) << path;
  return id;
}

bool accepts_connections(int port) { return static_cast<bool>(connect_to_port(port)); }

bool eventually(const std::function<bool()>& condition) {
  for (const auto end = Clock::now() + kFarTooLong; Clock::now() < end;) {
    if (condition()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return condition();
}

TemporaryFolder::TemporaryFolder()
    : path_((std::filesystem::temp_directory_path() / "extproc-test-XXXXXX").string()) {
  EXPECT_NE(::mkdtemp(path_.data()), nullptr);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace extproc::server::testing
