#include "server/configuration.h"

#include <gmock/gmock.h>

#include "extproc/error.h"

namespace extproc::server {
namespace {

using namespace std::chrono_literals;
Configuration from(const Settings& settings) { return resolve(settings, std::nullopt); }

/// The reason for which it is refused.
std::string refusal(const Settings& settings,
                    const std::optional<std::string>& own_address = std::nullopt) {
  try {
    resolve(settings, own_address);
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
  EXPECT_FALSE(configuration.reflection);
  EXPECT_GE(configuration.threads, 1U);
  EXPECT_EQ(configuration.blocking_threads, 16U);
  EXPECT_EQ(configuration.blocking_queue, 4'096U);
  EXPECT_EQ(configuration.chain_header, "x-ext-procs-applied");
  EXPECT_EQ(configuration.log_level, LogLevel::info);
  EXPECT_FALSE(configuration.log.sink);
  EXPECT_EQ(configuration.log.format, LogFormat::text);
  EXPECT_EQ(configuration.log.file, "");
  EXPECT_EQ(configuration.observer, nullptr);
}

TEST(Configuration, AnAddressGivenInCodeStandsInForThePort) {
  Settings settings;
  settings.listen = "127.0.0.1:1";
  EXPECT_EQ(from(settings).address, ListenAddress(TcpAddress{"127.0.0.1", 1}));
  EXPECT_EQ(resolve(settings, "unix:/run/own.sock").address,
            ListenAddress(UnixAddress{"/run/own.sock"}));
  EXPECT_EQ(resolve({}, "50052").address, default_address(50052));
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
      {"Settings::blocking_queue", [](Settings& s) { s.blocking_queue = 0; }},
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
    EXPECT_THAT(refusal(settings), ::testing::StartsWith(name));
  }
  EXPECT_THAT(refusal({}, "99999"), ::testing::StartsWith("Service::on \"99999\": it must be"));
}

TEST(Configuration, TheChainHeaderIsInLowerCaseAndMayBeHidden) {
  Settings settings;
  settings.applied_header = "X-Chain";
  EXPECT_EQ(from(settings).chain_header, "x-chain");
  settings.reveal_chain = false;
  EXPECT_EQ(from(settings).chain_header, "");
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
  const Configuration configuration = from(settings);
  EXPECT_EQ(configuration.filter.message_timeout, 1ms);
  EXPECT_EQ(configuration.filter.max_message_timeout, 1ms);
  EXPECT_TRUE(configuration.filter.allow_all_routing);
  EXPECT_TRUE(configuration.filter.allow_envoy);
  EXPECT_FALSE(configuration.early_end);
  EXPECT_TRUE(configuration.automatic_mode_override);
}

}  // namespace
}  // namespace extproc::server
