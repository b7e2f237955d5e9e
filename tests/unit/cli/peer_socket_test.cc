#include "cli/peer_socket.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>

#include "extproc/error.h"

namespace extproc::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Listens on a port of 127.0.0.1 that the system chose, and is a peer with bytes of the test's.
class Peer {
 public:
  Peer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* bytes = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), bytes, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    EXPECT_EQ(::getsockname(listener_.get(), bytes, &size), 0);
    port_ = ntohs(address.sin_port);
  }

  int port() const { return port_; }
  UniqueFd accept() const { return UniqueFd(::accept(listener_.get(), nullptr, nullptr)); }
  void stop() { listener_.reset(); }

 private:
  UniqueFd listener_;
  int port_ = 0;
};

std::string failure(const server::ListenAddress& address, const Deadline& deadline) {
  try {
    PeerSocket(find_peer(address, deadline), deadline);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Deadline, SaysHowLongItWas) {
  EXPECT_EQ(Deadline(1s).text(), "1 s");
  EXPECT_EQ(Deadline(250ms).text(), "0.25 s");
  EXPECT_EQ(Deadline(1ms).text(), "0.001 s");
  EXPECT_EQ(Deadline(100s).text(), "100 s");
  EXPECT_EQ(Deadline(8760h).text(), "31536000 s");
}

TEST(PeerSocket, FindsAddressesWithoutLookingThemUp) {
  const Deadline deadline(10s);
  EXPECT_THAT(find_peer(server::TcpAddress{"127.0.0.1", 1, false}, deadline), SizeIs(1));
  EXPECT_THAT(find_peer(server::UnixAddress{"/nowhere"}, deadline), SizeIs(1));
  // IPv4 and IPv6 of this machine.
  EXPECT_THAT(find_peer(server::default_address(1), deadline), SizeIs(2));
}

TEST(PeerSocket, TakesBytesUntilTheEnd) {
  Peer peer;
  const Deadline deadline(10s);
  PeerSocket socket(find_peer(server::default_address(peer.port()), deadline), deadline);
  UniqueFd other = peer.accept();
  ASSERT_EQ(::send(other.get(), "hello", 5, 0), 5);
  std::string output = "question";
  std::string input = "before ";
  EXPECT_EQ(socket.exchange(output, input, deadline), PeerSocket::Came::bytes);
  EXPECT_EQ(input, "before hello");
  EXPECT_EQ(output, "");
  char asked[8];
  EXPECT_EQ(::recv(other.get(), asked, sizeof asked, MSG_WAITALL), 8);
  other.reset();
  EXPECT_EQ(socket.exchange(output, input, deadline), PeerSocket::Came::end);
}

TEST(PeerSocket, WhatWasSaidBeforeAResetIsRead) {
  Peer peer;
  const Deadline deadline(10s);
  PeerSocket socket(find_peer(server::default_address(peer.port()), deadline), deadline);
  std::string output = "not read";
  std::string input;
  UniqueFd other = peer.accept();
  const Deadline soon(20ms);
  EXPECT_EQ(socket.exchange(output, input, soon), PeerSocket::Came::nothing);
  ASSERT_EQ(::send(other.get(), "why", 3, 0), 3);
  other.reset();  // with bytes that it has not read, this is a reset
  output = "more";
  EXPECT_EQ(socket.exchange(output, input, deadline), PeerSocket::Came::bytes);
  EXPECT_EQ(input, "why");
  EXPECT_EQ(socket.exchange(output, input, deadline), PeerSocket::Came::end);
}

TEST(PeerSocket, EndsWithTheDeadlineAlsoWhereThePeerTakesNothing) {
  Peer peer;
  const Deadline deadline(200ms);
  PeerSocket socket(find_peer(server::default_address(peer.port()), deadline), deadline);
  const UniqueFd other = peer.accept();
  std::string output(64 << 20, 'x');
  std::string input;
  EXPECT_EQ(socket.exchange(output, input, deadline), PeerSocket::Came::nothing);
  EXPECT_GE(Deadline::Clock::now(), deadline.end());
  EXPECT_FALSE(output.empty());
}

TEST(PeerSocket, SaysWhyItCannotConnect) {
  Peer peer;
  peer.stop();
  const Deadline deadline(10s);
  const auto refused = HasSubstr("connection refused: nothing listens there");
  EXPECT_THAT(failure(server::TcpAddress{"127.0.0.1", peer.port(), false}, deadline), refused);
  EXPECT_THAT(failure(server::default_address(peer.port()), deadline), refused);
  EXPECT_THAT(failure(server::UnixAddress{"/nowhere"}, deadline), HasSubstr("no such socket"));
}

}  // namespace
}  // namespace extproc::cli
