#include "tls/make_certificates.h"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>

#include "extproc/error.h"
#include "tls/handles.h"

namespace extproc::tls {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

using File = std::unique_ptr<FILE, Free<&std::fclose>>;

X509Ptr read_certificate(const fs::path& path) {
  const File file(std::fopen(path.c_str(), "r"));
  return X509Ptr(file ? PEM_read_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
}

KeyPtr read_key(const fs::path& path) {
  const File file(std::fopen(path.c_str(), "r"));
  return KeyPtr(file ? PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr) : nullptr);
}

/// X509_V_OK, or why a peer refuses it for this purpose at that time.
int verified(X509* certificate, X509* ca, int purpose, std::time_t when) {
  const std::unique_ptr<X509_STORE, Free<&X509_STORE_free>> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), ca);
  const std::unique_ptr<X509_STORE_CTX, Free<&X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), certificate, nullptr);
  X509_STORE_CTX_set_purpose(context.get(), purpose);
  X509_STORE_CTX_set_time(context.get(), 0, when);
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_X509_STRICT);
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

class MakeCertificates : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "extproc-tls-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  MadeCertificates make() const {
    return make_certificates(folder_, {"DNS:localhost", "IP:127.0.0.1"}, {"DNS:envoy.example"}, 1h);
  }

  fs::path folder_;
};

TEST_F(MakeCertificates, PeersAcceptThemForWhatTheyAreFor) {
  const MadeCertificates made = make();
  const X509Ptr ca = read_certificate(made.ca);
  const X509Ptr server = read_certificate(made.server);
  const X509Ptr client = read_certificate(made.client);
  ASSERT_TRUE(ca && server && client);
  const std::time_t now = std::time(nullptr);
  EXPECT_EQ(verified(server.get(), ca.get(), X509_PURPOSE_SSL_SERVER, now), X509_V_OK);
  EXPECT_EQ(verified(client.get(), ca.get(), X509_PURPOSE_SSL_CLIENT, now), X509_V_OK);
  EXPECT_EQ(verified(server.get(), ca.get(), X509_PURPOSE_SSL_CLIENT, now),
            X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(verified(client.get(), ca.get(), X509_PURPOSE_SSL_SERVER, now),
            X509_V_ERR_INVALID_PURPOSE);
  // A clock that is a minute behind, and one that is past the end.
  EXPECT_EQ(verified(server.get(), ca.get(), X509_PURPOSE_SSL_SERVER, now - 60), X509_V_OK);
  EXPECT_EQ(verified(server.get(), ca.get(), X509_PURPOSE_SSL_SERVER, now + 3700),
            X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST_F(MakeCertificates, TheyHaveTheirNames) {
  const MadeCertificates made = make();
  const X509Ptr server = read_certificate(made.server);
  const X509Ptr client = read_certificate(made.client);
  ASSERT_TRUE(server && client);
  EXPECT_EQ(X509_check_host(server.get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(server.get(), "envoy.example", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "127.0.0.2", 0), 0);
  EXPECT_EQ(X509_check_host(client.get(), "envoy.example", 0, 0, nullptr), 1);
}

TEST_F(MakeCertificates, KeysBelongToThemAndToTheirOwnerAlone) {
  const MadeCertificates made = make();
  for (const auto& [certificate, key] :
       {std::pair{made.server, made.server_key}, {made.client, made.client_key}}) {
    const KeyPtr read = read_key(key);
    ASSERT_TRUE(read) << key;
    EXPECT_EQ(X509_check_private_key(read_certificate(certificate).get(), read.get()), 1) << key;
    EXPECT_EQ(EVP_PKEY_get_bits(read.get()), 256);
    EXPECT_EQ(fs::status(key).permissions(), fs::perms::owner_read | fs::perms::owner_write) << key;
  }
  // That of the CA is nowhere.
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 5);
}

TEST_F(MakeCertificates, EachRunHasItsOwnCa) {
  const MadeCertificates first = make();
  const X509Ptr server = read_certificate(first.server);
  const X509Ptr ca = read_certificate(first.ca);
  fs::remove_all(folder_);
  fs::create_directory(folder_);
  const X509Ptr other = read_certificate(make().ca);
  ASSERT_TRUE(server && ca && other);
  const std::time_t now = std::time(nullptr);
  EXPECT_NE(verified(server.get(), other.get(), X509_PURPOSE_SSL_SERVER, now), X509_V_OK);
  EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(ca.get()), X509_get0_serialNumber(other.get())),
            0);
}

TEST_F(MakeCertificates, NothingIsOverwritten) {
  make();
  try {
    make();
    FAIL() << "written over";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr((folder_ / "ca.pem").string()));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("File exists"));
  }
  EXPECT_THROW(make_certificates(folder_ / "none", {"DNS:a"}, {"DNS:b"}, 1h), Error);
}

}  // namespace
}  // namespace extproc::tls
