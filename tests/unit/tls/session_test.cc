#include "tls/session.h"

#include <gmock/gmock.h>
#include <openssl/err.h>

#include "test_client.h"

namespace extproc::tls {
namespace {

using server::SecureSession;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SessionTest : public ::testing::Test {
 protected:
  Session& open(const TlsSettings& settings) {
    context_ = std::make_shared<const ServerContext>(
        load_material(settings), AllowedNames(settings.allowed_sans), settings.min_version);
    session_ = std::make_unique<Session>(context_, buffers_);
    return *session_;
  }
  TlsSettings clear_of_clients() {
    const Pair pair = ca_.issue({.name = "server"});
    TlsSettings settings;
    settings.certificate = pair.certificate;
    settings.key = pair.key;
    return settings;
  }
  TlsSettings mutual() {
    TlsSettings settings = clear_of_clients();
    settings.client_ca = ca_.certificate();
    return settings;
  }
  /// Why a client with this certificate is refused; empty where it is let in.
  std::string refusal(const TlsSettings& settings, const TestClient::Options& options) {
    TestClient client(open(settings), buffers_, options);
    const bool done = client.shake_hands();
    // In TLS 1.3 the client is done before it is refused.
    const bool open = session_->state() == SecureSession::State::open;
    EXPECT_TRUE(done || !open);
    EXPECT_EQ(open, session_->failure().kind.empty());
    return session_->failure().text;
  }

  TestAuthority ca_{"ca"};
  server::SecureBuffers buffers_;
  std::shared_ptr<const ServerContext> context_;
  std::unique_ptr<Session> session_;
};

TEST_F(SessionTest, CarriesBytesBothWays) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TestClient client(open(clear_of_clients()), buffers_, {.version = version});
    ASSERT_TRUE(client.shake_hands());
    EXPECT_EQ(session_->peer_certificate(), nullptr);
    client.write("request");
    EXPECT_EQ(client.text(), "request");
    session_->write("response");
    EXPECT_EQ(client.read(), "response");
  }
}

TEST_F(SessionTest, TakesBytesHoweverTheyAreCut) {
  TestClient client(open(clear_of_clients()), buffers_, {});
  ASSERT_TRUE(client.shake_hands());
  SSL_write(client.ssl(), "request", 7);
  for (const char byte : client.take_bytes()) client.give({&byte, 1});
  EXPECT_EQ(client.text(), "request");
}

TEST_F(SessionTest, OfALargeTextSeveralRecords) {
  TestClient client(open(clear_of_clients()), buffers_, {});
  ASSERT_TRUE(client.shake_hands());
  const std::string text(100'000, 'a');
  client.write(text);
  EXPECT_EQ(client.text(), text);
}

TEST_F(SessionTest, ThePeersCertificateIsTold) {
  const Pair pair = ca_.issue({.name = "envoy", .names = "DNS:a.example,URI:spiffe://b/c"});
  TestClient client(open(mutual()), buffers_, {.pair = pair});
  ASSERT_TRUE(client.shake_hands());
  const auto peer = session_->peer_certificate();
  ASSERT_NE(peer, nullptr);
  EXPECT_EQ(peer->subject, "CN=envoy");
  EXPECT_THAT(peer->dns_names, ::testing::ElementsAre("a.example"));
  EXPECT_THAT(peer->uris, ::testing::ElementsAre("spiffe://b/c"));
  EXPECT_THAT(peer->fingerprint, ::testing::MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(peer->fingerprint.size(), 64U);
}

TEST_F(SessionTest, ClientsAreRefusedWithTheReason) {
  TestAuthority other("other");
  const TlsSettings settings = mutual();
  const auto shown = [&](const Pair& pair) { return refusal(settings, {.pair = pair}); };
  EXPECT_THAT(shown(ca_.issue({})), IsEmpty());
  EXPECT_THAT(shown({}), HasSubstr("showed no certificate"));
  EXPECT_THAT(shown(other.issue({.name = "stranger"})),
              AllOf(HasSubstr("of an unknown CA"), HasSubstr("CN=stranger")));
  EXPECT_THAT(shown(ca_.issue({.from = -7200, .until = -3600})), HasSubstr("is expired"));
  EXPECT_THAT(shown(ca_.issue({.from = 3600, .until = 7200})), HasSubstr("not valid yet"));
  EXPECT_THAT(shown(ca_.issue({.usage = "serverAuth"})), HasSubstr("not made for clients"));
}

TEST_F(SessionTest, ClientsAreRefusedForTheirNames) {
  TlsSettings settings = mutual();
  settings.allowed_sans = {"dns:a.example", "spiffe://domain/"};
  const auto named = [&](const char* names) {
    return refusal(settings, {.pair = ca_.issue({.names = names})});
  };
  EXPECT_THAT(named("DNS:a.example"), IsEmpty());
  EXPECT_THAT(named("URI:spiffe://domain/b"), IsEmpty());
  EXPECT_THAT(named("DNS:b.example"),
              AllOf(HasSubstr("none of the names that are allowed"), HasSubstr("dns:b.example")));
  EXPECT_THAT(named(""), HasSubstr("it has none"));
}

TEST_F(SessionTest, ClientsAreRefusedThatTheirAuthorityRevoked) {
  const Pair revoked = ca_.issue({});
  TlsSettings settings = mutual();
  settings.crl = ca_.revoke(revoked);
  EXPECT_THAT(refusal(settings, {.pair = revoked}), HasSubstr("revoked"));
  EXPECT_THAT(refusal(settings, {.pair = ca_.issue({})}), IsEmpty());
  settings.client_ca += TestAuthority("another").certificate();
  EXPECT_THAT(refusal(settings, {.pair = ca_.issue({})}), IsEmpty());
  TestAuthority without("without");
  settings.client_ca += without.certificate();
  EXPECT_THAT(refusal(settings, {.pair = without.issue({})}), HasSubstr("--tls-crl has no list"));
}

TEST_F(SessionTest, WhatIsSpokenInsideMustBeHttp2) {
  EXPECT_THAT(refusal(clear_of_clients(), {.protocol = "http/1.1"}), HasSubstr("ALPN"));
  EXPECT_THAT(refusal(clear_of_clients(), {.protocol = ""}), HasSubstr("ALPN"));
}

TEST_F(SessionTest, AnOlderVersionIsRefused) {
  TlsSettings settings = clear_of_clients();
  settings.min_version = TlsVersion::v1_3;
  EXPECT_THAT(refusal(settings, {.version = TLS1_2_VERSION}), HasSubstr("older TLS"));
}

TEST_F(SessionTest, ClearTextIsNamed) {
  open(clear_of_clients()).take("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_EQ(session_->state(), SecureSession::State::failed);
  EXPECT_THAT(session_->failure().text, HasSubstr("clear text (HTTP/2)"));
  open(clear_of_clients()).take("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(session_->failure().text, HasSubstr("clear text to a port"));
  open(clear_of_clients()).take("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n");
  EXPECT_THAT(session_->failure().text, HasSubstr("PROXY protocol"));
}

TEST_F(SessionTest, TheEndIsToldBothWays) {
  TestClient client(open(clear_of_clients()), buffers_, {});
  ASSERT_TRUE(client.shake_hands());
  session_->end();
  EXPECT_THAT(client.read(), IsEmpty());
  EXPECT_NE(SSL_get_shutdown(client.ssl()) & SSL_RECEIVED_SHUTDOWN, 0);
  SSL_shutdown(client.ssl());
  client.give(client.take_bytes());
  EXPECT_EQ(session_->state(), SecureSession::State::ended);
}

TEST_F(SessionTest, NothingIsResumed) {
  TestClient client(open(clear_of_clients()), buffers_, {});
  ASSERT_TRUE(client.shake_hands());
  session_->write("a");
  client.read();
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(client.ssl())), 0);
}

}  // namespace
}  // namespace extproc::tls
