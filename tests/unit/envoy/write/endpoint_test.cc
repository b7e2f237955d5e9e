#include "envoy/write/endpoint.h"

#include <gtest/gtest.h>

#include "envoy/write/yaml_writer.h"
#include "extproc/error.h"

namespace extproc::envoy_config {
namespace {

TEST(Upstream, Urls) {
  const std::tuple<const char*, const char*, int, bool> cases[] = {
      {"http://127.0.0.1:3000", "127.0.0.1", 3000, false},
      {"http://localhost", "localhost", 80, false},
      {"https://example.com", "example.com", 443, true},
      {"https://example.com:8443/", "example.com", 8443, true},
      {"http://[::1]:3000", "::1", 3000, false},
      {"http://[::1]", "::1", 80, false}};
  for (const auto& [url, host, port, tls] : cases) {
    const Upstream upstream = parse_upstream("--upstream", url);
    EXPECT_EQ(upstream.address, (server::TcpAddress{host, port})) << url;
    EXPECT_EQ(upstream.tls, tls) << url;
  }
}

TEST(Upstream, RefusedUrlsSayWhichFlag) {
  for (const char* url :
       {"", "127.0.0.1:3000", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:x",
        "http://a/path", "http://u@a", "http://a?q", "http://a:70000", "http://unix:/a"}) {
    try {
      parse_upstream("--upstream", url);
      ADD_FAILURE() << url;
    } catch (const Error& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("--upstream \"")) << error.what();
    }
  }
}

TEST(Endpoint, WhereToConnectTo) {
  EXPECT_EQ(parse_endpoint("--address", "a.b:1"), Endpoint(server::TcpAddress{"a.b", 1}));
  EXPECT_EQ(parse_endpoint("--address", "unix:/a"), Endpoint(server::UnixAddress{"/a"}));
  for (const char* text : {"", "50051", "a", "a:0", "unix:", ":1"}) {
    EXPECT_THROW(parse_endpoint("--address", text), Error) << text;
  }
}

TEST(Endpoint, WhereToListen) {
  const server::TcpAddress loopback{"127.0.0.1", 8080};
  EXPECT_EQ(parse_listener("--listen", "127.0.0.1:8080"), Endpoint(loopback));
  EXPECT_EQ(parse_listener("--listen", "localhost:8080"), Endpoint(loopback));
  // Whoever does not name a host does not mean the whole network.
  EXPECT_EQ(parse_listener("--listen", "8080"), Endpoint(loopback));
  EXPECT_EQ(parse_listener("--listen", "[::]:0"), Endpoint(server::TcpAddress{"::", 0}));
  EXPECT_EQ(parse_listener("--listen", "unix:/a"), Endpoint(server::UnixAddress{"/a"}));
  EXPECT_THROW(parse_listener("--listen", "example.com:80"), Error);
}

TEST(Endpoint, OnlyNamesAreLookedUp) {
  EXPECT_TRUE(needs_dns(server::TcpAddress{"example.com", 1}));
  for (const Endpoint& endpoint :
       {Endpoint(server::TcpAddress{"127.0.0.1", 1}), Endpoint(server::TcpAddress{"::1", 1}),
        Endpoint(server::UnixAddress{"/a"})}) {
    EXPECT_FALSE(needs_dns(endpoint));
  }
}

TEST(Endpoint, AsAnAddressOfEnvoy) {
  const std::pair<Endpoint, const char*> cases[] = {
      {server::TcpAddress{"::1", 5},
       "address: { socket_address: { address: \"::1\", port_value: 5 } }\n"},
      {server::UnixAddress{"/a b"}, "address: { pipe: { path: \"/a b\" } }\n"}};
  for (const auto& [endpoint, text] : cases) {
    YamlWriter out;
    write_address(out, endpoint);
    EXPECT_EQ(std::move(out).take(), text);
  }
}

}  // namespace
}  // namespace extproc::envoy_config
