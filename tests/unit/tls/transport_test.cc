#include "server/transport.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "extproc/error.h"
#include "extproc/tls.h"
#include "test_authority.h"
#include "test_client.h"
#include "tls/identity.h"

namespace extproc::tls {
namespace {

namespace fs = std::filesystem;
using Kind = server::Refreshed::Kind;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string refusal(const TlsSettings& settings) {
  try {
    tls_transport(settings);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class TransportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("extproc-tls-" + std::to_string(::getpid()));
    fs::create_directory(folder_);
    settings_.certificate_file = folder_ / "tls.crt";
    settings_.key_file = folder_ / "tls.key";
    write(ca_.issue({.name = "first"}));
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const Pair& pair) const {
    std::ofstream(settings_.certificate_file) << pair.certificate;
    std::ofstream(settings_.key_file) << pair.key;
  }

  TestAuthority ca_{"ca"};
  fs::path folder_;
  TlsSettings settings_;
};

TEST_F(TransportTest, WhatDoesNotBelongTogetherIsRefused) {
  EXPECT_EQ(refusal(settings_), "");
  EXPECT_THAT(refusal({}), HasSubstr("no certificate and no key"));
  TlsSettings settings = settings_;
  settings.key_file.clear();
  EXPECT_THAT(refusal(settings), HasSubstr("TlsSettings::key is missing"));
  settings.key = ca_.issue({}).key;
  EXPECT_THAT(refusal(settings), AllOf(HasSubstr("TlsSettings::key: the key does not belong"),
                                       HasSubstr(settings_.certificate_file)));
  settings = {};
  const Pair of_client = ca_.issue({.usage = "clientAuth"});
  settings.certificate = of_client.certificate;
  settings.key = of_client.key;
  EXPECT_THAT(refusal(settings), HasSubstr("the certificate is not for servers"));
  settings = settings_;
  settings.allowed_sans = {"dns:a"};
  EXPECT_THAT(refusal(settings), HasSubstr("no CA of clients"));
  settings.client_ca_file = folder_ / "missing";
  EXPECT_THAT(refusal(settings), HasSubstr((folder_ / "missing").string() + " cannot be read"));
  settings.client_ca_file.clear();
  settings.client_ca = ca_.certificate();
  settings.allowed_sans = {"a"};
  EXPECT_THAT(refusal(settings), HasSubstr("write dns:NAME"));
}

TEST_F(TransportTest, ChangedFilesCountForNewSessions) {
  const auto transport = tls_transport(settings_);
  EXPECT_EQ(transport->refresh().kind, Kind::unchanged);
  server::SecureBuffers buffers;
  const auto before = transport->open(buffers);
  write(ca_.issue({.name = "second"}));
  const auto refreshed = transport->refresh();
  EXPECT_EQ(refreshed.kind, Kind::reloaded);
  EXPECT_THAT(refreshed.text, HasSubstr("CN=second"));
  EXPECT_EQ(transport->refresh().kind, Kind::unchanged);
  const auto after = transport->open(buffers);
  const std::pair<server::SecureSession*, const char*> expected[] = {{before.get(), "CN=first"},
                                                                     {after.get(), "CN=second"}};
  for (const auto& [session, subject] : expected) {
    TestClient client(*session, buffers, {});
    ASSERT_TRUE(client.shake_hands());
    EXPECT_EQ(subject_of(SSL_get0_peer_certificate(client.ssl())), subject);
  }
}

TEST_F(TransportTest, WhatCannotBeUsedIsToldOnceAndTheOldStays) {
  const auto transport = tls_transport(settings_);
  const Pair good = ca_.issue({.name = "second"});
  write({good.certificate, ca_.issue({}).key});
  const auto refreshed = transport->refresh();
  EXPECT_EQ(refreshed.kind, Kind::failed);
  EXPECT_THAT(refreshed.text, HasSubstr("the key does not belong"));
  EXPECT_EQ(transport->refresh().kind, Kind::unchanged);
  EXPECT_THAT(transport->description(), HasSubstr("CN=first"));
  fs::remove(settings_.key_file);
  EXPECT_EQ(transport->refresh().kind, Kind::failed);
  EXPECT_EQ(transport->refresh().kind, Kind::unchanged);
  write(good);
  EXPECT_EQ(transport->refresh().kind, Kind::reloaded);
  EXPECT_THAT(transport->description(), HasSubstr("CN=second"));
}

TEST_F(TransportTest, WhatIsInUseIsReported) {
  settings_.client_ca = ca_.certificate();
  write(ca_.issue({.name = "first", .names = "DNS:a.example,URI:spiffe://b/c"}));
  const auto transport = tls_transport(settings_);
  auto report = transport->report();
  ASSERT_EQ(report.certificates.size(), 2U);
  const server::ServedCertificate& own = report.certificates.front();
  EXPECT_EQ(own.use, "server");
  EXPECT_EQ(own.subject, "CN=first");
  EXPECT_EQ(own.issuer, "CN=ca");
  EXPECT_THAT(own.names, ::testing::ElementsAre("dns:a.example", "uri:spiffe://b/c"));
  EXPECT_EQ(own.not_after - own.not_before, std::chrono::hours(2));
  EXPECT_EQ(own.fingerprint.size(), 64U);
  EXPECT_EQ(own.source, settings_.certificate_file);
  EXPECT_EQ(report.certificates.back().use, "client_ca");
  EXPECT_EQ(report.certificates.back().source, "TlsSettings::client_ca");
  EXPECT_FALSE(report.last_reload);
  EXPECT_EQ(report.reload_error, "");

  const Pair good = ca_.issue({.name = "second"});
  write({good.certificate, ca_.issue({}).key});
  transport->refresh();
  report = transport->report();
  EXPECT_EQ(report.certificates.front().subject, "CN=first");
  EXPECT_THAT(report.reload_error, HasSubstr("the key does not belong"));
  EXPECT_FALSE(report.last_reload);
  write(good);
  transport->refresh();
  report = transport->report();
  EXPECT_EQ(report.certificates.front().subject, "CN=second");
  EXPECT_EQ(report.reload_error, "");
  EXPECT_TRUE(report.last_reload);
}

TEST_F(TransportTest, WhatIsBackAsItWasIsNoErrorAnyMore) {
  const Pair first = ca_.issue({.name = "first"});
  write(first);
  const auto transport = tls_transport(settings_);
  write({"none", first.key});
  transport->refresh();
  EXPECT_NE(transport->report().reload_error, "");
  write(first);
  transport->refresh();
  EXPECT_EQ(transport->report().reload_error, "");
}

TEST_F(TransportTest, ACertificateOfItsOwnThatIsNotValidIsWarnedOf) {
  EXPECT_EQ(tls_transport(settings_)->warning(), "");
  write(ca_.issue({.from = -7200, .until = -3600}));
  EXPECT_THAT(tls_transport(settings_)->warning(), HasSubstr("the certificate expired on"));
  write(ca_.issue({.from = -5000, .until = 300}));
  EXPECT_THAT(tls_transport(settings_)->warning(), HasSubstr("and was not renewed"));
  write(ca_.issue({.from = 3600, .until = 7200}));
  EXPECT_THAT(tls_transport(settings_)->warning(), HasSubstr("is not valid before"));
}

TEST_F(TransportTest, ItsFilesAreWatchedAsTheyAreNamed) {
  EXPECT_THAT(tls_transport(settings_)->files(),
              ::testing::ElementsAre(settings_.certificate_file, settings_.key_file));
}

}  // namespace
}  // namespace extproc::tls
