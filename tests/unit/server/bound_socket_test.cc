#include "server/bound_socket.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>

#include "extproc/error.h"
#include "server/socket_client.h"

namespace extproc::server {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string refusal(const ListenAddress& address) {
  try {
    bind_sockets(address);
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

int port_of(const BoundSocket& bound) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(bound.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  const std::string text = describe(address, size);
  return std::stoi(text.substr(text.rfind(':') + 1));
}

TEST(BoundSocket, APortInUse) {
  const auto first = bind_sockets(default_address(0));
  const int port = port_of(first.front());
  EXPECT_EQ(refusal(default_address(port)),
            "port " + std::to_string(port) +
                " is in use: stop what listens there, or choose another with --port / GRPC_PORT");
  EXPECT_THAT(refusal(TcpAddress{"127.0.0.1", port}), HasSubstr("is in use"));
}

TEST(BoundSocket, ANameStandsForAllItsAddressesOnOnePort) {
  const auto sockets = bind_sockets(TcpAddress{"localhost", 0});
  for (const BoundSocket& bound : sockets) EXPECT_EQ(port_of(bound), port_of(sockets.front()));
}

TEST(BoundSocket, AddressesThatAreNotThisMachines) {
  EXPECT_THAT(refusal(TcpAddress{"192.0.2.1", 0}), HasSubstr("does not have the address"));
  EXPECT_THAT(refusal(TcpAddress{"no host", 0}), HasSubstr("the host of no host:0 is not known"));
}

class UnixSocket : public ::testing::Test {
 protected:
  const testing::TemporaryFolder folder_;
  const UnixAddress address_{folder_.path() + "/socket"};
};

TEST_F(UnixSocket, IsTakenAwayAtTheEnd) {
  {
    const auto sockets = bind_sockets(address_);
    EXPECT_TRUE(fs::is_socket(address_.path));
  }
  EXPECT_FALSE(fs::exists(address_.path));
}

TEST_F(UnixSocket, InUse) {
  const auto sockets = bind_sockets(address_);
  EXPECT_THAT(refusal(address_), HasSubstr("is in use"));
  EXPECT_TRUE(fs::is_socket(address_.path));
}

TEST_F(UnixSocket, AStaleFileIsReplaced) {
  {
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    address_.path.copy(name.sun_path, sizeof name.sun_path - 1);
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  }
  ASSERT_TRUE(fs::is_socket(address_.path));
  EXPECT_EQ(bind_sockets(address_).size(), 1U);
}

TEST_F(UnixSocket, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(address_.path) << "precious";
  EXPECT_THAT(refusal(address_), HasSubstr("is not a socket"));
  EXPECT_TRUE(fs::is_regular_file(address_.path));
}

TEST_F(UnixSocket, AnotherServersFileIsLeftAlone) {
  auto first = bind_sockets(address_);
  fs::remove(address_.path);
  const auto second = bind_sockets(address_);
  first.clear();
  EXPECT_TRUE(fs::is_socket(address_.path));
}

TEST_F(UnixSocket, AFolderThatIsNotThere) {
  EXPECT_THAT(refusal(UnixAddress{folder_.path() + "/none/socket"}),
              HasSubstr("the folder does not exist"));
}

TEST(Describe, Peers) {
  sockaddr_storage storage{};
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(80);
  v6.sin6_addr = in6addr_loopback;
  EXPECT_EQ(describe(storage, sizeof v6), "[::1]:80");
  v6.sin6_addr = {};
  v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xFF;
  v6.sin6_addr.s6_addr[12] = 10;
  v6.sin6_addr.s6_addr[15] = 1;
  EXPECT_EQ(describe(storage, sizeof v6), "10.0.0.1:80");
  storage = {};
  storage.ss_family = AF_UNIX;
  EXPECT_EQ(describe(storage, sizeof(sa_family_t)), "unix:");
}

}  // namespace
}  // namespace extproc::server
