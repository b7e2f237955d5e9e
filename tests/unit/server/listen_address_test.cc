#include "server/listen_address.h"

#include <gmock/gmock.h>

#include "extproc/error.h"

namespace extproc::server {
namespace {

TEST(ListenAddress, Forms) {
  const std::pair<const char*, ListenAddress> cases[] = {
      {"127.0.0.1:50051", TcpAddress{"127.0.0.1", 50051}},
      {"localhost:0", TcpAddress{"localhost", 0}},
      {"[::1]:65535", TcpAddress{"::1", 65535}},
      {"[::]:1", TcpAddress{"::", 1}},
      {"unix:/run/extproc.sock", UnixAddress{"/run/extproc.sock"}},
      {"unix:extproc.sock", UnixAddress{"extproc.sock"}}};
  for (const auto& [text, address] : cases) {
    EXPECT_EQ(parse_listen_address("here", text), address) << text;
    EXPECT_EQ(to_string(address), text);
  }
  EXPECT_EQ(parse_listen_address("here", "50051"), default_address(50051));
  EXPECT_EQ(to_string(default_address(50051)), "[::]:50051");
}

TEST(ListenAddress, RefusesOthersWithAReason) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "it must be \"host:port\""},
      {"host", "it must be \"host:port\""},
      {"host:", "it must be \"host:port\""},
      {"host:http", "it must be \"host:port\""},
      {"host:65536", "it must be \"host:port\""},
      {"-1", "it must be \"host:port\""},
      {":50051", "the host is missing"},
      {"[]:50051", "the host is missing"},
      {"::1:50051", "an IPv6 address goes into brackets"},
      {"http://127.0.0.1:1", "not a URL: leave out \"http://\""},
      {"[::ffff:127.0.0.1]:1", "which is written \"127.0.0.1:1\""},
      {"unix:", "a path must follow"},
      {"unix:/" + std::string(107, 'x'), "the path has 108 bytes"},
      {std::string("unix:/a\0b", 9), "a zero byte follows"}};
  for (const auto& [text, reason] : cases) {
    try {
      parse_listen_address("Settings::listen", text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_THAT(std::string(error.what()), ::testing::StartsWith("Settings::listen \""));
      EXPECT_THAT(std::string(error.what()), ::testing::HasSubstr(reason));
    }
  }
  parse_listen_address("here", "unix:/" + std::string(106, 'x'));
}

TEST(ListenAddress, TwoThatAreOne) {
  const auto both = [](const char* a, const char* b) {
    const auto one = parse_listen_address("a", a);
    const auto other = parse_listen_address("b", b);
    EXPECT_EQ(overlap(one, other), overlap(other, one)) << a << " " << b;
    return overlap(one, other);
  };
  EXPECT_TRUE(both("127.0.0.1:1", "127.0.0.1:1"));
  EXPECT_TRUE(both("127.0.0.1:1", "[::]:1"));
  EXPECT_TRUE(both("10.0.0.1:1", "0.0.0.0:1"));
  EXPECT_TRUE(both("[::1]:1", "[::]:1"));
  EXPECT_TRUE(both("localhost:1", "[::1]:1"));
  EXPECT_TRUE(both("unix:/a", "unix:/a"));
  EXPECT_FALSE(both("unix:/a", "unix:/b"));
  EXPECT_FALSE(both("unix:/a", "[::]:1"));
  EXPECT_FALSE(both("127.0.0.1:1", "127.0.0.1:2"));
  EXPECT_FALSE(both("127.0.0.1:1", "127.0.0.2:1"));
  EXPECT_FALSE(both("[::1]:1", "0.0.0.0:1"));
  EXPECT_FALSE(both("[::]:0", "127.0.0.1:0"));
}

TEST(ListenAddress, OfThisMachineAlone) {
  for (const char* address : {"127.0.0.1:1", "127.1.2.3:50051", "[::1]:1"})
    EXPECT_TRUE(is_loopback(address)) << address;
  for (const char* address :
       {"0.0.0.0:1", "[::]:1", "10.0.0.127:1", "[::127]:1", "[2001:db8::1]:1"})
    EXPECT_FALSE(is_loopback(address)) << address;
}

}  // namespace
}  // namespace extproc::server
