// What a peer may send that speaks no TLS, or speaks it badly: the session fails, and no more.
#include <gmock/gmock.h>
#include <openssl/err.h>

#include <random>

#include "test_client.h"
#include "tls/session.h"

namespace extproc::tls {
namespace {

using server::SecureSession;

class SessionAttack : public ::testing::Test {
 protected:
  SessionAttack() {
    const Pair pair = ca_.issue({});
    TlsSettings settings;
    settings.certificate = pair.certificate;
    settings.key = pair.key;
    context_ = std::make_shared<const ServerContext>(load_material(settings), AllowedNames(),
                                                     TlsVersion::v1_2);
  }
  std::unique_ptr<Session> open() { return std::make_unique<Session>(context_, buffers_); }
  std::string hello(int version = 0) {
    const auto session = open();
    TestClient client(*session, buffers_, {.version = version});
    SSL_do_handshake(client.ssl());
    return client.take_bytes();
  }

  TestAuthority ca_{"ca"};
  server::SecureBuffers buffers_;
  std::shared_ptr<const ServerContext> context_;
};

TEST_F(SessionAttack, ATruncatedHelloWaits) {
  const std::string bytes = hello();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto session = open();
    session->take(std::string_view(bytes).substr(0, size));
    EXPECT_EQ(session->state(), SecureSession::State::handshake);
    EXPECT_TRUE(buffers_.out.empty());
  }
}

TEST_F(SessionAttack, AFlippedByteOfTheHelloNeverOpens) {
  std::mt19937 random(1);
  const std::string bytes = hello();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(static_cast<unsigned char>(flipped[at]) ^ (1 + random() % 255));
    const auto session = open();
    session->take(flipped);
    EXPECT_NE(session->state(), SecureSession::State::open);
    buffers_.out.clear();
  }
}

TEST_F(SessionAttack, AHugeRecordFails) {
  const auto session = open();
  session->take(std::string("\x16\x03\x01\xff\xff", 5) + std::string(0xffff, 'a'));
  EXPECT_EQ(session->state(), SecureSession::State::failed);
  buffers_.out.clear();
}

TEST_F(SessionAttack, RecordsInAnotherOrderFail) {
  const auto session = open();
  TestClient client(*session, buffers_, {});
  ASSERT_TRUE(client.shake_hands());
  SSL_write(client.ssl(), "one", 3);
  const std::string one = client.take_bytes();
  SSL_write(client.ssl(), "two", 3);
  client.give(client.take_bytes());
  EXPECT_EQ(session->state(), SecureSession::State::failed);
  client.give(one);
  EXPECT_EQ(client.text(), "");
}

TEST_F(SessionAttack, ARecordTwiceFails) {
  const auto session = open();
  TestClient client(*session, buffers_, {});
  ASSERT_TRUE(client.shake_hands());
  SSL_write(client.ssl(), "one", 3);
  const std::string one = client.take_bytes();
  client.give(one);
  EXPECT_EQ(client.text(), "one");
  client.give(one);
  EXPECT_EQ(session->state(), SecureSession::State::failed);
}

TEST_F(SessionAttack, TextBeforeTheHandshakeFails) {
  const auto session = open();
  session->take(std::string("\x17\x03\x03\0\1a", 6));
  EXPECT_EQ(session->state(), SecureSession::State::failed);
}

// TLS 1.2 has it; where it could be had, each costs as much as a handshake.
TEST_F(SessionAttack, NoHandshakeFollowsTheFirst) {
  const auto session = open();
  TestClient client(*session, buffers_, {.version = TLS1_2_VERSION});
  ASSERT_TRUE(client.shake_hands());
  SSL_set_options(client.ssl(), SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
  SSL_renegotiate(client.ssl());
  ERR_clear_error();
  SSL_do_handshake(client.ssl());
  const std::string bytes = client.take_bytes();
  ASSERT_FALSE(bytes.empty());
  client.give(bytes);
  ERR_clear_error();
  EXPECT_NE(SSL_do_handshake(client.ssl()), 1);
  EXPECT_LT(client.take_bytes().size(), 100U);
}

// Each is answered with another key.
TEST_F(SessionAttack, ManyKeysInARowFail) {
  const auto session = open();
  TestClient client(*session, buffers_, {.version = TLS1_3_VERSION});
  ASSERT_TRUE(client.shake_hands());
  client.read();
  for (int i = 0; i < 100 && session->state() == SecureSession::State::open; ++i) {
    SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    ERR_clear_error();
    SSL_do_handshake(client.ssl());
    client.give(client.take_bytes());
  }
  EXPECT_EQ(session->state(), SecureSession::State::failed);
}

TEST_F(SessionAttack, RandomBytesNeverOpen) {
  std::mt19937 random(2);
  for (int i = 0; i < 2'000; ++i) {
    const auto session = open();
    std::string bytes("\x16\x03\x01");
    for (auto size = random() % 600; size > 0; --size) bytes += static_cast<char>(random() & 255U);
    session->take(bytes);
    EXPECT_NE(session->state(), SecureSession::State::open);
    buffers_.out.clear();
  }
}

}  // namespace
}  // namespace extproc::tls
