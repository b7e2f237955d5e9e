#include "server/configuration.h"

#include <gmock/gmock.h>

#include <map>

#include "extproc/error.h"

namespace extproc::server {
namespace {

using namespace std::chrono_literals;
using Environment = std::map<std::string, std::string>;

EnvironmentLookup lookup(Environment environment) {
  return [environment = std::move(environment)](const char* name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
}

Configuration from(Environment environment, const Settings& settings = {}) {
  return resolve(settings, std::nullopt, lookup(std::move(environment)));
}

/// The reason for which it is refused.
std::string refusal(Environment environment, const Settings& settings = {},
                    const std::optional<std::string>& own_address = std::nullopt) {
  try {
    resolve(settings, own_address, lookup(std::move(environment)));
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Configuration, DefaultsWhereNothingIsGiven) {
  const Configuration configuration = from({});
  EXPECT_EQ(configuration.address, default_address(50051));
  EXPECT_EQ(configuration.grace_period, 5s);
  EXPECT_EQ(configuration.drain_delay, 1s);
  EXPECT_GE(configuration.threads, 1U);
  EXPECT_EQ(configuration.blocking_threads, 16U);
  EXPECT_EQ(configuration.chain_header, "x-ext-procs-applied");
  EXPECT_EQ(configuration.log_level, LogLevel::info);
  EXPECT_TRUE(configuration.log);
  EXPECT_EQ(configuration.observer, nullptr);
}

TEST(Configuration, TakesTheEnvironment) {
  const Configuration configuration = from({{"GRPC_PORT", "8000"},
                                            {"SHUTDOWN_GRACE_PERIOD", "0.25"},
                                            {"REVEAL_EXTPROC_CHAIN", "yes"},
                                            {"EXTPROCS_APPLIED_HEADER", "X-Applied"},
                                            {"LOG_LEVEL", "error"}});
  EXPECT_EQ(configuration.address, default_address(8000));
  EXPECT_EQ(configuration.grace_period, 250ms);
  EXPECT_EQ(configuration.chain_header, "x-applied");
  EXPECT_EQ(configuration.log_level, LogLevel::error);
}

TEST(Configuration, SettingsWinEvenOverAWrongEnvironment) {
  Settings settings;
  settings.port = 1234;
  settings.grace_period = 1ms;
  settings.reveal_chain = false;
  settings.applied_header = "x-chain";
  settings.log_level = LogLevel::off;
  const Configuration configuration = from({{"GRPC_PORT", "wrong"},
                                            {"SHUTDOWN_GRACE_PERIOD", "wrong"},
                                            {"REVEAL_EXTPROC_CHAIN", "wrong"},
                                            {"EXTPROCS_APPLIED_HEADER", "wrong:"},
                                            {"LOG_LEVEL", "wrong"}},
                                           settings);
  EXPECT_EQ(configuration.address, default_address(1234));
  EXPECT_EQ(configuration.grace_period, 1ms);
  EXPECT_EQ(configuration.chain_header, "");
  EXPECT_EQ(configuration.log_level, LogLevel::off);
}

TEST(Configuration, AnAddressGivenInCodeStandsInForThePort) {
  Settings settings;
  settings.listen = "127.0.0.1:1";
  EXPECT_EQ(from({{"GRPC_PORT", "wrong"}}, settings).address,
            ListenAddress(TcpAddress{"127.0.0.1", 1}));
  EXPECT_EQ(resolve(settings, "unix:/run/own.sock", lookup({})).address,
            ListenAddress(UnixAddress{"/run/own.sock"}));
  EXPECT_EQ(resolve({}, "50052", lookup({{"GRPC_PORT", "wrong"}})).address, default_address(50052));
}

TEST(Configuration, Switches) {
  for (const char* on : {"t", "T", "true", "TRUE", "True", "y", "Y", "yes", "YES", "1", "on"}) {
    EXPECT_NE(from({{"REVEAL_EXTPROC_CHAIN", on}}).chain_header, "") << on;
  }
  for (const char* off : {"f", "F", "false", "FALSE", "n", "no", "No", "0", "off", "OFF"}) {
    EXPECT_EQ(from({{"REVEAL_EXTPROC_CHAIN", off}}).chain_header, "") << off;
  }
}

TEST(Configuration, LogLevels) {
  const std::pair<const char*, LogLevel> cases[] = {
      {"DEBUG", LogLevel::debug},       {"debug", LogLevel::debug},  {"INFO", LogLevel::info},
      {"WARNING", LogLevel::warning},   {"warn", LogLevel::warning}, {"ERROR", LogLevel::error},
      {"Critical", LogLevel::critical}, {"OFF", LogLevel::off}};
  for (const auto& [text, level] : cases) {
    EXPECT_EQ(from({{"LOG_LEVEL", text}}).log_level, level) << text;
  }
}

TEST(Configuration, GracePeriods) {
  const std::pair<const char*, std::chrono::milliseconds> cases[] = {
      {"0", 0ms}, {"5", 5s}, {"0.5", 500ms}, {".001", 1ms}, {"1e2", 100s}};
  for (const auto& [text, time] : cases) {
    EXPECT_EQ(from({{"SHUTDOWN_GRACE_PERIOD", text}}).grace_period, time) << text;
  }
}

TEST(Configuration, RefusesAWrongEnvironmentByName) {
  const std::pair<const char*, std::vector<const char*>> cases[] = {
      {"GRPC_PORT", {"abc", "-1", "65536", "80x", " 80", "1e3"}},
      {"SHUTDOWN_GRACE_PERIOD", {"abc", "-1", "nan", "inf", "5s", "1e9"}},
      {"REVEAL_EXTPROC_CHAIN", {"maybe", "2", "tr"}},
      {"EXTPROCS_APPLIED_HEADER", {"host", "Host", ":path", "a b", "x:", "\xC3\xA9"}},
      {"LOG_LEVEL", {"verbose", "0"}}};
  for (const auto& [name, values] : cases) {
    for (const char* value : values) {
      const std::string expected = std::string(name) + " is \"" + value + "\": it must be ";
      EXPECT_THAT(refusal({{name, value}}), ::testing::StartsWith(expected));
    }
  }
}

TEST(Configuration, RefusesWrongSettingsByName) {
  const std::pair<std::string, void (*)(Settings&)> cases[] = {
      {"Settings::port", [](Settings& s) { s.port = 65536; }},
      {"Settings::port", [](Settings& s) { s.port = -1; }},
      {"Settings::port (1) and Settings::listen (\"a:2\")",
       [](Settings& s) {
         s.port = 1;
         s.listen = "a:2";
       }},
      {"Settings::listen", [](Settings& s) { s.listen = "nowhere"; }},
      {"Settings::grace_period", [](Settings& s) { s.grace_period = -1ms; }},
      {"Settings::drain_delay", [](Settings& s) { s.drain_delay = -1ms; }},
      {"Settings::threads", [](Settings& s) { s.threads = 100'000; }},
      {"Settings::blocking_threads", [](Settings& s) { s.blocking_threads = 0; }},
      {"Settings::applied_header", [](Settings& s) { s.applied_header = "host"; }},
      {"Settings::applied_header", [](Settings& s) { s.applied_header = ""; }},
      {"Settings::slow_handler", [](Settings& s) { s.slow_handler = -1ms; }},
      {"Settings::filter.message_timeout is \"0 ms\": it must be at least 1 ms",
       [](Settings& s) { s.filter.message_timeout = 0ms; }},
      {"Settings::filter.message_timeout is \"-1 ms\"",
       [](Settings& s) { s.filter.message_timeout = -1ms; }},
      {"Settings::filter.message_timeout", [](Settings& s) { s.filter.message_timeout = 9000h; }},
      {"Settings::filter.max_message_timeout is \"-1 ms\"",
       [](Settings& s) { s.filter.max_message_timeout = -1ms; }},
      {"Settings::filter.max_message_timeout is \"199 ms\": it must be 0, or at least the "
       "message_timeout of 200 ms",
       [](Settings& s) { s.filter.max_message_timeout = 199ms; }},
      {"Settings::filter.max_message_timeout",
       [](Settings& s) { s.filter.max_message_timeout = 9000h; }},
      {"Limits::message_bytes", [](Settings& s) { s.limits.message_bytes = 0; }}};
  for (const auto& [name, break_it] : cases) {
    Settings settings;
    break_it(settings);
    EXPECT_THAT(refusal({}, settings), ::testing::StartsWith(name));
  }
  EXPECT_THAT(refusal({}, {}, "99999"), ::testing::StartsWith("Service::on \"99999\": it must be"));
}

TEST(Configuration, TakesWhatTheFilterIsSetUpAs) {
  EXPECT_EQ(from({}).filter.message_timeout, 200ms);
  EXPECT_EQ(from({}).filter.max_message_timeout, 0ms);
  EXPECT_TRUE(from({}).early_end);
  EXPECT_FALSE(from({}).automatic_mode_override);
  Settings settings;
  settings.filter = {.message_timeout = 1ms,
                     .max_message_timeout = 1ms,
                     .allow_all_routing = true,
                     .allow_envoy = true};
  settings.early_end = false;
  settings.automatic_mode_override = true;
  const Configuration configuration = from({}, settings);
  EXPECT_EQ(configuration.filter.message_timeout, 1ms);
  EXPECT_EQ(configuration.filter.max_message_timeout, 1ms);
  EXPECT_TRUE(configuration.filter.allow_all_routing);
  EXPECT_TRUE(configuration.filter.allow_envoy);
  EXPECT_FALSE(configuration.early_end);
  EXPECT_TRUE(configuration.automatic_mode_override);
}

TEST(Configuration, AVariableSetToNothingIsNotSet) {
  ::setenv("EXTPROC_TEST_VARIABLE", "", 1);
  EXPECT_EQ(process_environment("EXTPROC_TEST_VARIABLE"), std::nullopt);
  ::setenv("EXTPROC_TEST_VARIABLE", "value", 1);
  EXPECT_EQ(process_environment("EXTPROC_TEST_VARIABLE"), "value");
}

}  // namespace
}  // namespace extproc::server
