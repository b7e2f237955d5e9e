#include "cli/options.h"

#include <gmock/gmock.h>

#include "parse_options.h"
#include "server/setting_sources.h"
#include "server/settings_table.h"

namespace extproc::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Options, OfASettingsFile) {
  const auto options = parse_as<ServeOptions>({"serve", "--settings", "a.yaml", "--check-settings",
                                               "-g", "2", "--no-early-end", "--connections", "7"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->which.settings_file, "a.yaml");
  EXPECT_TRUE(options->check_settings);
  EXPECT_FALSE(options->settings_schema);
  const auto given = [&](const char* name) {
    const auto* found = options->which.given.find(name);
    return found == nullptr ? "" : found->source + "=" + found->text;
  };
  EXPECT_EQ(given("grace_period"), "--grace-period=2");
  EXPECT_EQ(given("early_end"), "--no-early-end=false");
  EXPECT_EQ(given("limits.connections"), "--connections=7");
  EXPECT_EQ(given("threads"), "");
  EXPECT_THAT(refused({"serve", "--check-settings"}), HasSubstr("--settings"));
  // The file may have the other time that belongs to it.
  EXPECT_TRUE(parse_as<ServeOptions>({"serve", "--settings", "a", "--max-message-timeout", "0.1"}));
}

TEST(Options, NothingIsSetWithoutAFlag) {
  const auto options = parse_as<ServeOptions>({"serve"});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->which.services, IsEmpty());
  EXPECT_FALSE(options->which.separate);
  EXPECT_FALSE(options->logging);
  EXPECT_THAT(options->which.module_path, IsEmpty());
  EXPECT_THAT(options->listen, IsEmpty());
  const Settings& settings = options->settings;
  EXPECT_FALSE(settings.port || settings.listen || settings.grace_period || settings.drain_delay ||
               settings.reflection || settings.threads || settings.blocking_threads ||
               settings.log_format || settings.log_file);
}

TEST(Options, Long) {
  const auto options = parse_as<ServeOptions>({"serve",
                                               "--service",
                                               "m.N",
                                               "--port",
                                               "1234",
                                               "--grace-period",
                                               "2.5",
                                               "--drain-delay",
                                               "0",
                                               "--logging",
                                               "--reflection",
                                               "--threads",
                                               "3",
                                               "--blocking-threads",
                                               "4",
                                               "--blocking-queue",
                                               "5",
                                               "--module-path",
                                               "/a:/b",
                                               "--module-path",
                                               "/c"});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->which.services, ElementsAre("m.N"));
  EXPECT_EQ(options->settings.port, 1234);
  EXPECT_EQ(options->settings.grace_period, 2500ms);
  EXPECT_EQ(options->settings.drain_delay, 0ms);
  EXPECT_TRUE(options->logging);
  EXPECT_EQ(options->settings.reflection, true);
  EXPECT_EQ(options->settings.threads, 3U);
  EXPECT_EQ(options->settings.blocking_threads, 4U);
  EXPECT_EQ(options->settings.blocking_queue, 5U);
  EXPECT_THAT(options->which.module_path, ElementsAre("/a", "/b", "/c"));
}

TEST(Options, HowLongAPeerMayTake) {
  const auto options =
      parse_as<ServeOptions>({"serve", "--frame-timeout", "0.5", "--incomplete-message-timeout",
                              "0", "--unread-timeout", "600"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->settings.limits.frame_timeout, 500ms);
  EXPECT_EQ(options->settings.limits.incomplete_message_timeout, 0ms);
  EXPECT_EQ(options->settings.limits.unread_timeout, 10min);
}

TEST(Options, HowMuchPeersMayHold) {
  const auto bytes = [](const char* text) {
    const auto options = parse_as<ServeOptions>({"serve", "--memory-bytes", text});
    return options ? std::optional(options->settings.limits.memory_bytes) : std::nullopt;
  };
  EXPECT_EQ(bytes("100000000"), 100'000'000U);
  EXPECT_EQ(bytes("64m"), std::size_t{64} << 20);
  EXPECT_EQ(bytes("2G"), std::size_t{2} << 30);
  for (const char* text : {"-1", "", "much", "1.5x", "m"}) EXPECT_FALSE(bytes(text)) << text;
}

TEST(Options, EveryLimitIsAFlagOfServe) {
  ::testing::internal::CaptureStdout();
  parse({"serve", "--help"});
  const std::string help = ::testing::internal::GetCapturedStdout();
  for (const server::SettingRow& row : server::setting_rows()) {
    const std::string flag = server::flag_of(row);
    if (flag.empty()) continue;
    EXPECT_THAT(help, HasSubstr(flag));
    if (!row.value) continue;
    const auto options = parse_as<ServeOptions>({"serve", flag.c_str(), "77777"});
    ASSERT_TRUE(options) << flag;
    EXPECT_EQ(row.value(options->settings), row.unit == server::Unit::seconds ? 77'777'000 : 77'777)
        << flag;
    EXPECT_FALSE(parse_as<ServeOptions>({"serve", flag.c_str(), "-1"})) << flag;
  }
}

TEST(Options, TheCheckKnowsWhatTheServerAccepts) {
  // Filters inside Envoy name their processors themselves.
  EXPECT_TRUE(parse_as<CheckOptions>({"check", "envoy.yaml"}));
  const auto plain = parse_as<CheckOptions>({"check", "envoy.yaml", "-s", "m.N"});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->message_bytes, Limits{}.message_bytes);
  const auto given =
      parse_as<CheckOptions>({"check", "envoy.yaml", "-s", "m.N", "--message-bytes", "64m"});
  ASSERT_TRUE(given);
  EXPECT_EQ(given->message_bytes, std::size_t{64} << 20);
}

TEST(Options, WhereTheLogGoes) {
  const auto serve =
      parse_as<ServeOptions>({"serve", "--log-format", "json", "--log-file", "/var/log/extproc"});
  ASSERT_TRUE(serve);
  EXPECT_EQ(serve->settings.log_format, LogFormat::json);
  EXPECT_EQ(serve->settings.log_file, "/var/log/extproc");
  const auto dev = parse_as<DevOptions>({"dev", "-s", "m.N", "--upstream", "http://a:1",
                                         "--log-format", "TEXT", "--log-file", "log"});
  ASSERT_TRUE(dev);
  EXPECT_EQ(dev->log_format, LogFormat::text);
  EXPECT_EQ(dev->log_file, "log");
  EXPECT_FALSE(parse_as<ServeOptions>({"serve", "--log-format", "xml"}));
}

TEST(Options, Short) {
  const auto options = parse_as<ServeOptions>({"serve", "-s", "m.N", "-p", "0", "-g", "1", "-l"});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->which.services, ElementsAre("m.N"));
  EXPECT_EQ(options->settings.port, 0);
  EXPECT_EQ(options->settings.grace_period, 1s);
  EXPECT_TRUE(options->logging);
}

TEST(Options, ItIsKnownWhichSettingsFlagsHaveSet) {
  const auto options =
      parse_as<ServeOptions>({"serve", "-p", "7", "--message-bytes", "1m", "--no-early-end",
                              "--message-timeout", "0.3", "--server-admin", "127.0.0.1:9902"});
  ASSERT_TRUE(options);
  const auto source = [&](const char* name) {
    return server::source_of(options->settings, server::setting_row(name));
  };
  EXPECT_EQ(source("port"), "flag --port");
  EXPECT_EQ(source("limits.message_bytes"), "flag --message-bytes");
  EXPECT_EQ(source("early_end"), "flag --no-early-end");
  EXPECT_EQ(source("filter.message_timeout"), "flag --message-timeout");
  EXPECT_EQ(source("server_admin"), "flag --server-admin");
  EXPECT_EQ(source("threads"), "default");
}

TEST(Options, APortIsANumberAndNothingElse) {
  for (const char* text :
       {"0x10", "+5", " 5", "5 ", "", "65536", "-1", "1e3", "0b1", "1'000", "http"})
    EXPECT_FALSE(parse_as<ServeOptions>({"serve", "--port", text})) << text;
  EXPECT_EQ(parse_as<ServeOptions>({"serve", "--port=65535"})->settings.port, 65'535);
}

TEST(Options, Listen) {
  const auto options =
      parse_as<ServeOptions>({"serve", "--listen", "unix:/a", "--listen", "unix:/b"});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->listen, ElementsAre("unix:/a", "unix:/b"));
}

TEST(Options, SeveralServices) {
  const auto options = parse_as<ServeOptions>({"serve", "-s", "m.N,m.O,n.N", "--separate"});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->which.services, ElementsAre("m.N", "m.O", "n.N"));
  EXPECT_TRUE(options->which.separate);
}

TEST(Options, TheFilterIsTheSameForAll) {
  const std::vector<const char*> commands[] = {
      {"serve"}, {"config", "-s", "m.N"}, {"dev", "-s", "m.N", "--upstream", "http://a:1"}};
  const auto filter_of = [](const std::vector<const char*>& arguments) {
    const auto result = parse(arguments);
    EXPECT_TRUE(result.command) << arguments.front();
    if (!result.command) return FilterSettings{};
    if (const auto* serve = std::get_if<ServeOptions>(&*result.command))
      return serve->settings.filter;
    if (const auto* dev = std::get_if<DevOptions>(&*result.command)) return dev->filter;
    return std::get<ConfigOptions>(*result.command).filter;
  };
  for (auto arguments : commands) {
    const FilterSettings plain = filter_of(arguments);
    EXPECT_EQ(plain.message_timeout, 200ms);
    EXPECT_EQ(plain.max_message_timeout, 0ms);
    EXPECT_FALSE(plain.allow_all_routing || plain.allow_envoy);
    EXPECT_FALSE(plain.allow_content_length_header || plain.allow_mode_override);
    EXPECT_TRUE(plain.allowed_override_modes.empty());
    arguments.insert(arguments.end(), {"--message-timeout", "1.5", "--max-message-timeout", "1.5",
                                       "--allow-all-routing", "--allow-envoy",
                                       "--allow-content-length-header", "--allow-mode-override"});
    const FilterSettings given = filter_of(arguments);
    EXPECT_EQ(given.message_timeout, 1500ms);
    EXPECT_EQ(given.max_message_timeout, 1500ms);
    EXPECT_TRUE(given.allow_all_routing && given.allow_envoy);
    EXPECT_TRUE(given.allow_content_length_header && given.allow_mode_override);
    EXPECT_TRUE(given.allowed_override_modes.empty());
  }
}

TEST(Options, TheOldNameOfAllowModeOverride) {
  const auto config = parse_as<ConfigOptions>({"config", "-s", "m.N", "--mode-override"});
  EXPECT_TRUE(config && config->filter.allow_mode_override);
  const auto check = parse_as<CheckOptions>({"check", "a.yaml", "-s", "m.N", "--mode-override"});
  EXPECT_TRUE(check && check->told.allow_mode_override);
  const auto dev =
      parse_as<DevOptions>({"dev", "-s", "m.N", "--upstream", "http://a:1", "--mode-override"});
  EXPECT_TRUE(dev && dev->filter.allow_mode_override);
  EXPECT_FALSE(parse({"serve", "--mode-override"}).command);
}

TEST(Options, ModesThatAnOverrideMayChoose) {
  const auto options = parse_as<ServeOptions>(
      {"serve", "--allowed-override-mode", "request_body_mode=BUFFERED", "--allowed-override-mode",
       "response_body_mode=FULL_DUPLEX_STREAMED,response_trailer_mode=SEND"});
  ASSERT_TRUE(options);
  const FilterSettings& filter = options->settings.filter;
  EXPECT_TRUE(filter.allow_mode_override);
  EXPECT_THAT(filter.allowed_override_modes,
              ElementsAre(ModeOverride{.request_body_mode = BodySendMode::buffered},
                          ModeOverride{.response_body_mode = BodySendMode::full_duplex_streamed,
                                       .response_trailer_mode = HeaderSendMode::send}));
  for (const char* wrong : {"", "BUFFERED", "request_body_mode=buffered", "request_body=BUFFERED",
                            "request_body_mode=BUFFERED,", "response_header_mode=NONE"})
    EXPECT_FALSE(parse({"serve", "--allowed-override-mode", wrong}).command) << wrong;
}

TEST(Options, WhatTheServerIsToldIsChecked) {
  const auto options = parse_as<CheckOptions>(
      {"check", "a.yaml", "-s", "m.N", "--filter", "f", "--allow-mode-override",
       "--allow-content-length-header", "--allowed-override-mode", "request_body_mode=NONE"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->filter, "f");
  EXPECT_TRUE(options->told.allow_mode_override && options->told.allow_content_length_header);
  EXPECT_EQ(options->told.allowed_override_modes.size(), 1U);
}

TEST(Options, HowStreamsGo) {
  const auto plain = parse_as<ServeOptions>({"serve"});
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->settings.early_end);
  EXPECT_FALSE(plain->settings.automatic_mode_override);
  const auto given =
      parse_as<ServeOptions>({"serve", "--no-early-end", "--automatic-mode-override"});
  ASSERT_TRUE(given);
  EXPECT_FALSE(given->settings.early_end);
  EXPECT_TRUE(given->settings.automatic_mode_override);
}

TEST(Options, WrongUsageIsOneLineWithAHint) {
  const std::vector<const char*> cases[] = {
      {},
      {"unknown"},
      {"serve", "--unknown"},
      {"serve", "more"},
      {"serve", "-p"},
      {"serve", "-p", "x"},
      {"serve", "-p", "65536"},
      {"serve", "-p", "-1"},
      {"serve", "-g", "x"},
      {"serve", "-g", "-1"},
      {"serve", "-g", "nan"},
      {"serve", "--threads", "-1"},
      {"serve", "-p", "1", "--listen", "a:1"},
      {"serve", "-s", ""},
      {"serve", "-s", "m.N,"},
      {"serve", "-s", ",m.N"},
      {"serve", "-s", "m.N,,m.O"},
      {"serve", "-s", "m.N,m.O,m.N"},
      {"config"},
      {"config", "-s", "m.N", "--format", "xml"},
      {"config", "-s", "m.N", "--request-body-mode", "GRPC"},
      {"config", "-s", "m.N", "--message-timeout", "-1"},
      {"config", "-s", "m.N", "--message-timeout", "0"},
      {"config", "-s", "m.N", "--max-message-timeout", "0.1"},
      {"serve", "--message-timeout", "0"},
      {"serve", "--message-timeout", "0.0001"},
      {"serve", "--message-timeout", "-0.2"},
      {"serve", "--message-timeout", "200ms"},
      {"serve", "--max-message-timeout", "-1"},
      {"serve", "--max-message-timeout", "0.1"},
      {"serve", "--no-early-end=maybe"},
      {"config", "-s", "m.N", "--tls-cert", "a"},
      {"config", "-s", "m.N", "--tls-key", "a"},
      {"check", "a.yaml", "-s", "m.N", "--tls", "--no-tls"},
      {"check", "-s", "m.N"},
      {"dev", "-s", "m.N"},
      {"dev", "-s", "m.N", "--upstream", "http://a", "--message-timeout", "0"},
      {"dev", "--upstream", "http://a"}};
  for (const auto& arguments : cases) {
    ::testing::internal::CaptureStderr();
    const ParseResult result = parse(arguments);
    const std::string message = ::testing::internal::GetCapturedStderr();
    EXPECT_FALSE(result.command) << message;
    EXPECT_EQ(result.exit_status, 2);
    EXPECT_THAT(message, AllOf(::testing::StartsWith("extproc: "), HasSubstr("--help\n")));
    EXPECT_EQ(std::ranges::count(message, '\n'), 1) << message;
  }
}

TEST(Options, HelpAndVersion) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"--version"}, "extproc 0."},
      {{"--help"}, "serve"},
      {{"serve", "--help"}, "--grace-period"},
      {{"serve", "-h"}, "SHUTDOWN_GRACE_PERIOD"}};
  for (const auto& [arguments, text] : cases) {
    ::testing::internal::CaptureStdout();
    const ParseResult result = parse(arguments);
    EXPECT_FALSE(result.command);
    EXPECT_EQ(result.exit_status, 0);
    EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr(text));
  }
}

}  // namespace
}  // namespace extproc::cli
