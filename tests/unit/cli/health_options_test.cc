#include <gmock/gmock.h>

#include "parse_options.h"
#include "server/variable.h"

namespace extproc::cli {
namespace {

using namespace std::chrono_literals;
using server::TcpAddress;
using server::UnixAddress;
using ::testing::AllOf;
using ::testing::HasSubstr;

HealthOptions understood(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "health");
  const auto options = parse_as<HealthOptions>(std::move(arguments));
  EXPECT_TRUE(options);
  return options.value_or(HealthOptions());
}

std::string refused_by_health(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "health");
  return refused(std::move(arguments));
}

TEST(HealthOptions, Addresses) {
  const HealthOptions alone = understood({"50051"});
  EXPECT_EQ(alone.address, server::ListenAddress(TcpAddress{"::", 50'051, true}));
  EXPECT_EQ(alone.service, "");
  EXPECT_EQ(alone.timeout, 1s);
  EXPECT_FALSE(alone.tls);
  EXPECT_EQ(understood({"host.example:1"}).address,
            server::ListenAddress(TcpAddress{"host.example", 1, false}));
  EXPECT_EQ(understood({"[::1]:65535"}).address,
            server::ListenAddress(TcpAddress{"::1", 65'535, false}));
  EXPECT_EQ(understood({"unix:/run/x"}).address, server::ListenAddress(UnixAddress{"/run/x"}));
}

TEST(HealthOptions, AddressesThatAreNone) {
  EXPECT_THAT(refused_by_health({}), HasSubstr("address is required"));
  for (const char* address : {"", "host", "host:", ":1", "host:70000", "::1:1", "unix:", "x://h:1"})
    EXPECT_THAT(refused_by_health({address}),
                HasSubstr("ADDRESS \"" + std::string(address) + "\""));
  for (const char* address : {"0", "host:0"})
    EXPECT_THAT(refused_by_health({address}), HasSubstr("port 0 is no port to connect to"));
}

TEST(HealthOptions, WhatIsNotGivenIsTakenFromTheEnvironment) {
  using server::testing::Variable;
  const Variable address("EXTPROC_HEALTH_ADDRESS", "127.0.0.1:1");
  EXPECT_EQ(understood({}).address, server::ListenAddress(TcpAddress{"127.0.0.1", 1}));
  EXPECT_FALSE(understood({}).tls);
  EXPECT_EQ(understood({"a:2"}).address, server::ListenAddress(TcpAddress{"a", 2}));
  {
    const Variable wrong("EXTPROC_HEALTH_ADDRESS", "nowhere");
    EXPECT_THAT(refused_by_health({}), HasSubstr("ADDRESS \"nowhere\""));
  }
  const Variable again("EXTPROC_HEALTH_ADDRESS", "127.0.0.1:1");
  const Variable certificate("EXTPROC_HEALTH_TLS_CERT", "c");
  EXPECT_THAT(refused_by_health({}), HasSubstr("--tls-cert was given alone"));
  const Variable key("EXTPROC_HEALTH_TLS_KEY", "k");
  const Variable ca("EXTPROC_HEALTH_TLS_CA", "a");
  const Variable name("EXTPROC_HEALTH_TLS_SERVER_NAME", "n");
  const auto tls = understood({"--tls-ca", "other"}).tls;
  ASSERT_TRUE(tls);
  EXPECT_EQ(tls->certificate_file, "c");
  EXPECT_EQ(tls->key_file, "k");
  EXPECT_EQ(tls->ca_file, "other");
  EXPECT_EQ(tls->server_name, "n");
}

TEST(HealthOptions, ServiceAndTimeout) {
  const HealthOptions options = understood({"--service", "a.B", "1", "--timeout", "2.5"});
  EXPECT_EQ(options.service, "a.B");
  EXPECT_EQ(options.timeout, 2500ms);
  EXPECT_EQ(understood({"1", "--timeout", "0.001"}).timeout, 1ms);
  EXPECT_EQ(understood({"1", "--timeout", "31536000"}).timeout, 8760h);
  for (const char* time : {"0", "0.0001", "-1", "31536001", "nan", "inf", "1s", ""})
    EXPECT_THAT(refused_by_health({"1", "--timeout", time}), HasSubstr("--timeout"));
}

TEST(HealthOptions, TwoAddressesAreOneTooMany) {
  EXPECT_THAT(refused_by_health({"1", "2"}), HasSubstr("2"));
}

#ifdef EXTPROC_WITH_TLS
TEST(HealthOptions, EachFlagOfTlsSwitchesItOn) {
  EXPECT_EQ(understood({"host:1", "--tls"}).tls->server_name, "host");
  EXPECT_EQ(understood({"host:1", "--tls-ca", "a"}).tls->ca_file, "a");
  EXPECT_EQ(understood({"host:1", "--tls-server-name", "other"}).tls->server_name, "other");
  const HealthOptions options = understood({"host:1", "--tls-cert", "c", "--tls-key", "k"});
  EXPECT_EQ(options.tls->certificate_file, "c");
  EXPECT_EQ(options.tls->key_file, "k");
  EXPECT_EQ(options.tls->ca_file, "");
  EXPECT_EQ(options.tls->server_name, "host");
}

TEST(HealthOptions, TheNameIsTheHostOfTheAddress) {
  EXPECT_EQ(understood({"1", "--tls"}).tls->server_name, "localhost");
  EXPECT_EQ(understood({"10.0.0.1:1", "--tls"}).tls->server_name, "10.0.0.1");
  EXPECT_EQ(understood({"[fe80::1%eth0]:1", "--tls"}).tls->server_name, "fe80::1");
  EXPECT_EQ(understood({"host.example.:1", "--tls"}).tls->server_name, "host.example");
  EXPECT_THAT(refused_by_health({"unix:/run/x", "--tls"}), HasSubstr("give --tls-server-name"));
  EXPECT_EQ(understood({"unix:/run/x", "--tls-server-name", "n"}).tls->server_name, "n");
}

TEST(HealthOptions, CertificateAndKeyGoTogether) {
  EXPECT_THAT(refused_by_health({"1", "--tls-cert", "c"}), HasSubstr("give --tls-key with it"));
  EXPECT_THAT(refused_by_health({"1", "--tls-key", "k"}), HasSubstr("give --tls-cert with it"));
  EXPECT_THAT(refused_by_health({"1", "--tls-ca", ""}), HasSubstr("--tls-ca is empty"));
}
#else
TEST(HealthOptions, WithoutTlsInTheBuildItsFlagsAreRefused) {
  for (const char* flag :
       {"--tls", "--tls-ca=x", "--tls-cert=x", "--tls-key=x", "--tls-server-name=x"})
    EXPECT_THAT(refused_by_health({"1", flag}), HasSubstr("EXTPROC_TLS=ON"));
}
#endif

}  // namespace
}  // namespace extproc::cli
