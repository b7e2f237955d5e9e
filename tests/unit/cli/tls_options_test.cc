#include <gmock/gmock.h>

#include "parse_options.h"

namespace extproc::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refused_by_serve(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "serve");
  return refused(std::move(arguments));
}

#ifdef EXTPROC_WITH_TLS

TlsSettings given(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "serve");
  const auto options = parse_as<ServeOptions>(std::move(arguments));
  EXPECT_TRUE(options);
  return options ? options->tls : TlsSettings();
}

TEST(TlsOptions, NothingIsSetWithoutAFlag) { EXPECT_EQ(given({}).certificate_file, ""); }

TEST(TlsOptions, All) {
  const TlsSettings tls =
      given({"--tls-cert", "a", "--tls-key", "b", "--tls-client-ca", "c", "--tls-allow-san",
             "dns:d", "--tls-allow-san", "uri:e", "--tls-crl", "f", "--tls-min-version", "1.3"});
  EXPECT_EQ(tls.certificate_file, "a");
  EXPECT_EQ(tls.key_file, "b");
  EXPECT_EQ(tls.client_ca_file, "c");
  EXPECT_THAT(tls.allowed_sans, ElementsAre("dns:d", "uri:e"));
  EXPECT_EQ(tls.crl_file, "f");
  EXPECT_EQ(tls.min_version, TlsVersion::v1_3);
  EXPECT_EQ(given({"--tls-cert", "a", "--tls-key", "b"}).min_version, TlsVersion::v1_2);
}

TEST(TlsOptions, WhatBelongsTogether) {
  EXPECT_THAT(refused_by_serve({"--tls-cert", "a"}), HasSubstr("--tls-cert requires --tls-key"));
  EXPECT_THAT(refused_by_serve({"--tls-key", "a"}), HasSubstr("--tls-key requires --tls-cert"));
  EXPECT_THAT(refused_by_serve({"--tls-client-ca", "a"}), HasSubstr("requires --tls-cert"));
  for (const char* flag : {"--tls-allow-san", "--tls-crl"}) {
    EXPECT_THAT(refused_by_serve({"--tls-cert", "a", "--tls-key", "b", flag, "dns:c"}),
                HasSubstr("requires --tls-client-ca"));
  }
  EXPECT_THAT(refused_by_serve({"--tls-cert", "a", "--tls-key", "b", "--tls-min-version", "1.1"}),
              HasSubstr("\"1.1\" is neither 1.2 nor 1.3"));
}

#else

TEST(TlsOptions, AreRefusedWithTheOptionOfTheBuild) {
  EXPECT_THAT(refused_by_serve({"--tls-cert", "a", "--tls-key", "b"}),
              HasSubstr("-DEXTPROC_TLS=ON"));
}

#endif

}  // namespace
}  // namespace extproc::cli
