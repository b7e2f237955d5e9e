// The flags of the commands that know Envoy: config, check, dev.
#include <gmock/gmock.h>

#include "parse_options.h"

namespace extproc::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

TEST(EnvoyOptions, Config) {
  const auto plain = parse_as<ConfigOptions>({"config", "-s", "m.N"});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->format, envoy_config::Format::full);
  EXPECT_FALSE(plain->failure_mode_allow);
  EXPECT_EQ(plain->filter.message_timeout, 200ms);
  EXPECT_EQ(plain->filter.max_message_timeout, 0ms);
  const auto full = parse_as<ConfigOptions>({"config",
                                             "-s",
                                             "m.N",
                                             "--format",
                                             "envoy-gateway",
                                             "--failure-mode-allow",
                                             "--message-timeout",
                                             "1.5",
                                             "--max-message-timeout",
                                             "3",
                                             "--address",
                                             "a:1",
                                             "--address",
                                             "b:2",
                                             "--cluster-name",
                                             "c",
                                             "--request-body-mode",
                                             "STREAMED",
                                             "--response-body-mode",
                                             "FULL_DUPLEX_STREAMED",
                                             "--skip-request-headers",
                                             "--allow-mode-override",
                                             "--target",
                                             "K/n"});
  ASSERT_TRUE(full);
  EXPECT_EQ(full->format, envoy_config::Format::envoy_gateway);
  EXPECT_TRUE(full->failure_mode_allow);
  EXPECT_EQ(full->filter.message_timeout, 1500ms);
  EXPECT_EQ(full->filter.max_message_timeout, 3s);
  EXPECT_THAT(full->addresses, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(full->cluster_names, ElementsAre("c"));
  EXPECT_EQ(full->needs.request_body_mode, BodySendMode::streamed);
  EXPECT_EQ(full->needs.response_body_mode, BodySendMode::full_duplex_streamed);
  EXPECT_TRUE(full->needs.skip_request_headers);
  EXPECT_TRUE(full->filter.allow_mode_override);
  EXPECT_EQ(full->target, "K/n");
}

TEST(EnvoyOptions, ConfigOfASettingsFile) {
  const auto options =
      parse_as<ConfigOptions>({"config", "--settings", "a.yaml", "--message-timeout", "3"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->which.settings_file, "a.yaml");
  EXPECT_THAT(options->which.services, ::testing::IsEmpty());
  const auto* time = options->which.given.find("filter.message_timeout");
  ASSERT_NE(time, nullptr);
  EXPECT_EQ(time->text, "3");
  // Where Envoy listens is no setting of the server.
  const auto listens = parse_as<ConfigOptions>({"config", "-s", "m.N", "--listen", "[::1]:1"});
  ASSERT_TRUE(listens);
  EXPECT_EQ(listens->which.given.find("listen"), nullptr);
  EXPECT_THAT(refused({"config"}), ::testing::HasSubstr("--service or --settings"));
  EXPECT_TRUE(parse_as<ConfigOptions>({"config", "--settings", "a", "--in-process"}));
}

TEST(EnvoyOptions, TlsOfEnvoy) {
  const auto plain = parse_as<ConfigOptions>({"config", "-s", "m.N"});
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->tls);
  const auto alone = parse_as<ConfigOptions>({"config", "-s", "m.N", "--tls"});
  ASSERT_TRUE(alone && alone->tls);
  EXPECT_EQ(alone->tls->ca, "");
  EXPECT_EQ(alone->tls->sds_folder, "/etc/envoy/sds");
  EXPECT_FALSE(alone->tls->server_name);
  // Wherever --tls stands, and without it.
  const std::vector<const char*> flags = {"--tls-ca",         "/ca", "--tls-cert",        "/c",
                                          "--tls-key",        "/k",  "--tls-server-name", "n",
                                          "--tls-sds-folder", "/s"};
  for (const bool first : {true, false}) {
    for (const bool stated : {true, false}) {
      std::vector<const char*> all = {"config", "-s", "m.N"};
      if (stated && first) all.push_back("--tls");
      all.insert(all.end(), flags.begin(), flags.end());
      if (stated && !first) all.push_back("--tls");
      const auto given = parse_as<ConfigOptions>(all);
      ASSERT_TRUE(given && given->tls);
      EXPECT_EQ(given->tls->ca, "/ca");
      EXPECT_EQ(given->tls->certificate, "/c");
      EXPECT_EQ(given->tls->key, "/k");
      EXPECT_EQ(given->tls->server_name, "n");
      EXPECT_EQ(given->tls->sds_folder, "/s");
    }
  }
  for (const char* flag :
       {"--tls-ca", "--tls-cert", "--tls-key", "--tls-server-name", "--tls-sds-folder"}) {
    EXPECT_FALSE(parse({"config", "-s", "m.N", flag, ""}).command) << flag;
  }
}

TEST(EnvoyOptions, WhatTheServerSpeaks) {
  const auto check = [](std::vector<const char*> flags) {
    flags.insert(flags.begin(), {"check", "envoy.yaml", "-s", "m.N"});
    const auto options = parse_as<CheckOptions>(flags);
    EXPECT_TRUE(options);
    return options ? options->tls : std::nullopt;
  };
  EXPECT_EQ(check({}), std::nullopt);
  EXPECT_EQ(check({"--tls"}), true);
  EXPECT_EQ(check({"--no-tls"}), false);
  const std::vector<const char*> dev = {"dev", "-s", "m.N", "--upstream", "http://a:1"};
  EXPECT_FALSE(parse_as<DevOptions>(dev)->tls);
  std::vector<const char*> with_tls = dev;
  with_tls.push_back("--tls");
  EXPECT_TRUE(parse_as<DevOptions>(with_tls)->tls);
}

TEST(EnvoyOptions, CheckAndDev) {
  const auto check =
      parse_as<CheckOptions>({"check", "envoy.yaml", "-s", "m.N", "--filter", "f", "--strict"});
  ASSERT_TRUE(check);
  EXPECT_EQ(check->file, "envoy.yaml");
  EXPECT_EQ(check->filter, "f");
  EXPECT_TRUE(check->strict);
  const auto dev = parse_as<DevOptions>({"dev", "-s", "m.N", "--upstream", "http://a:1"});
  ASSERT_TRUE(dev);
  EXPECT_EQ(dev->upstream, "http://a:1");
  // Nobody else's business, unless asked for.
  EXPECT_EQ(dev->listen, "127.0.0.1:8080");
}

}  // namespace
}  // namespace extproc::cli
