// An HTTP client over TLS: whom it trusts, and whom it does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "blocks/client_asking.h"
#include "blocks/http_peer.h"
#include "extproc/client.h"
#include "tls/test_authority.h"

namespace extproc::client {
namespace {

/// Files of a test, gone with it.
class Files {
 public:
  Files() {
    std::string name = "/tmp/extproc_client_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~Files() { std::filesystem::remove_all(folder_); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

 private:
  std::string folder_;
};

struct ClientTls : public ::testing::Test {
  tls::TestAuthority authority{"ours"};
  tls::TestAuthority other{"theirs"};
  Files files;
  std::string ca = files.write("ca.pem", authority.certificate());
  Loop loop;

  HttpPeer::Pem pem(tls::Issued issued, const std::string& client_ca = "") {
    const tls::Pair pair = authority.issue(issued);
    return {pair.certificate, pair.key, client_ca};
  }
};

TEST_F(ClientTls, AServerIsTrustedByItsAuthorityAndName) {
  HttpPeer peer(always(ok("a")), pem({.names = "DNS:localhost,IP:127.0.0.1"}));
  Client client({.tls = {.ca_file = ca}});
  EXPECT_EQ(loop.get(client, peer.url()), "200 a");
  EXPECT_EQ(loop.get(client, peer.url()), "200 a");
  EXPECT_EQ(peer.connections(), 1);
  EXPECT_EQ(loop.get(client, "https://127.0.0.1:" + std::to_string(peer.port())), "200 a");

  Client others({.tls = {.ca_file = files.write("other.pem", other.certificate())}});
  EXPECT_EQ(loop.get(others, peer.url()), "!tls");
  Client system;
  EXPECT_EQ(loop.get(system, peer.url()), "!tls");
  Client anybody({.tls = {.verify = false}});
  EXPECT_EQ(loop.get(anybody, peer.url()), "200 a");
  EXPECT_EQ(loop.get(client, "http://localhost:" + std::to_string(peer.port())), "!closed+");
}

TEST_F(ClientTls, AnotherNameOrTimeIsNotTrusted) {
  for (const tls::Issued& issued :
       {tls::Issued{.names = "DNS:elsewhere"}, tls::Issued{.names = ""},
        tls::Issued{.from = -7200, .until = -3600}, tls::Issued{.usage = "clientAuth"}}) {
    HttpPeer peer(always(ok("a")), pem(issued));
    Client client({.tls = {.ca_file = ca}});
    EXPECT_EQ(loop.get(client, peer.url()), "!tls") << issued.names;
    EXPECT_TRUE(peer.requests().empty());
  }
  HttpPeer peer(always(ok("a")), pem({.names = "DNS:elsewhere"}));
  Client named({.tls = {.ca_file = ca, .server_name = "elsewhere"}});
  EXPECT_EQ(loop.get(named, peer.url()), "200 a");
  HttpPeer by_name(always(ok("a")), pem({}));
  Client client({.tls = {.ca_file = ca}});
  EXPECT_EQ(loop.get(client, "https://127.0.0.1:" + std::to_string(by_name.port())), "!tls");
}

TEST_F(ClientTls, AClientShowsItsCertificate) {
  HttpPeer peer(always(ok("a")), pem({}, other.certificate()));
  const tls::Pair pair = other.issue({});
  Client client({.tls = {.ca_file = ca,
                         .certificate_file = files.write("crt", pair.certificate),
                         .key_file = files.write("key", pair.key)}});
  EXPECT_EQ(loop.get(client, peer.url()), "200 a");
  Client without({.tls = {.ca_file = ca}});
  EXPECT_THAT(loop.get(without, peer.url()), ::testing::AnyOf("!closed+", "!tls"));
}

TEST_F(ClientTls, ABodyThatIsCutIsNotWhole) {
  // Without close_notify nobody knows whether that was all.
  HttpPeer peer(
      [](const std::string&, int) {
        return Answer{.bytes = "HTTP/1.1 200 OK\r\n\r\nhalf of it", .closes = true};
      },
      pem({}));
  Client client({.tls = {.ca_file = ca}});
  EXPECT_EQ(loop.get(client, peer.url()), "!closed+");
}

}  // namespace
}  // namespace extproc::client
