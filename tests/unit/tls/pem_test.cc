#include "tls/pem.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "extproc/error.h"
#include "test_authority.h"

namespace extproc::tls {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

template <class F>
std::string error_of(F what) {
  try {
    what();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Pem pem(std::string text) { return {"a.pem", std::move(text)}; }

TEST(Pem, IsReadFromAFileOrGiven) {
  const auto file =
      std::filesystem::temp_directory_path() / ("extproc-pem-" + std::to_string(::getpid()));
  std::ofstream(file) << "text";
  EXPECT_EQ(load("key", file, "").text, "text");
  EXPECT_EQ(load("key", file, "").source, file);
  std::filesystem::remove(file);
  EXPECT_EQ(load("key", "", "given").text, "given");
  EXPECT_TRUE(load("key", "", "").empty());
}

TEST(Pem, AFileThatCannotBeReadIsNamed) {
  EXPECT_THAT(error_of([] { load("key", "/nowhere/a.pem", ""); }),
              AllOf(HasSubstr("/nowhere/a.pem"), HasSubstr("No such file")));
  EXPECT_THAT(error_of([] { load("key", "/", ""); }), HasSubstr("Is a directory"));
}

TEST(Pem, APipeIsReadAndNotWaitedFor) {
  const auto pipe =
      std::filesystem::temp_directory_path() / ("extproc-pipe-" + std::to_string(::getpid()));
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  // Open on both sides, so that it has no end.
  const int both = ::open(pipe.c_str(), O_RDWR);
  EXPECT_THAT(error_of([&] { load("key", pipe, ""); }), HasSubstr("nobody writes"));
  EXPECT_EQ(::write(both, "text", 4), 4);
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ::close(both);
  });
  EXPECT_EQ(load("key", pipe, "").text, "text");
  writer.join();
  std::filesystem::remove(pipe);
}

TEST(Pem, BothAreRefused) {
  EXPECT_THAT(error_of([] { load("key", "a", "b"); }),
              HasSubstr("TlsSettings::key and TlsSettings::key_file are both given"));
}

TEST(Pem, AllCertificatesOfAFile) {
  TestAuthority a("a");
  TestAuthority b("b");
  EXPECT_EQ(certificates(pem("text before\n" + a.certificate() + b.certificate())).size(), 2U);
}

TEST(Pem, WhatIsNoneIsNamed) {
  TestAuthority ca("a");
  const Pair pair = ca.issue({});
  const std::string broken =
      ca.certificate().substr(0, ca.certificate().size() / 2) + "\n-----END CERTIFICATE-----\n";
  EXPECT_THAT(error_of([&] { certificates(pem("")); }), HasSubstr("a.pem has no certificate"));
  EXPECT_THAT(error_of([&] { certificates(pem(pair.key)); }),
              HasSubstr("a.pem has no certificate"));
  EXPECT_THAT(error_of([&] { certificates(pem(ca.certificate() + broken)); }),
              HasSubstr("a.pem: certificate 2 cannot be read"));
  EXPECT_THAT(error_of([&] { revocation_lists(pem(ca.certificate())); }),
              HasSubstr("a.pem has no certificate revocation list"));
  EXPECT_THAT(error_of([&] { private_key(pem(ca.certificate())); }),
              HasSubstr("a.pem has no private key"));
  EXPECT_THAT(error_of([&] {
                private_key(
                    pem("-----BEGIN PRIVATE KEY-----\nAAAA\n"
                        "-----END PRIVATE KEY-----\n"));
              }),
              HasSubstr("a.pem: the private key cannot be read"));
}

TEST(Pem, AKeyWithAPasswordIsNamedAsSuch) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const BioPtr out(BIO_new(BIO_s_mem()));
  char password[] = "secret";
  PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_256_cbc(), password, 6, nullptr,
                                nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  EXPECT_THAT(error_of([&] {
                private_key(pem({data, static_cast<std::size_t>(size)}));
              }),
              HasSubstr("the key has a password"));
}

}  // namespace
}  // namespace extproc::tls
