#include "server/setting_sources.h"

#include <gmock/gmock.h>

#include <string>

#include "server/environment.h"
#include "server/settings_in_force.h"
#include "server/variable.h"

namespace extproc::server::testing {
namespace {

std::string source(const Settings& settings, std::string_view name) {
  return source_of(settings, setting_row(name));
}

TEST(SettingSources, WhatIsNotSetIsOfTheLibrary) {
  for (const SettingRow& row : setting_rows()) EXPECT_EQ(source_of({}, row), "default") << row.name;
}

TEST(SettingSources, WhatAProgramSetsIsOfTheProgram) {
  Settings settings;
  settings.port = 1;
  settings.limits.connections = 5;
  settings.early_end = false;
  settings.redacted_headers = {"x-key"};
  EXPECT_EQ(source(settings, "port"), "program");
  EXPECT_EQ(source(settings, "limits.connections"), "program");
  EXPECT_EQ(source(settings, "early_end"), "program");
  EXPECT_EQ(source(settings, "redacted_headers"), "program");
  EXPECT_EQ(source(settings, "threads"), "default");
}

TEST(SettingSources, TheEnvironmentIsNamed) {
  const Variable level("LOG_LEVEL", "ERROR");
  Settings given;
  given.grace_period = std::chrono::seconds(1);
  const Variable period("SHUTDOWN_GRACE_PERIOD", "7");
  const Settings settings = Settings::from_environment(given);
  EXPECT_EQ(source(settings, "log_level"), "environment LOG_LEVEL");
  EXPECT_EQ(source(settings, "grace_period"), "program");
}

TEST(SettingSources, WhatIsChangedLaterIsOfTheProgram) {
  Settings settings;
  setting_row("threads").set(settings, "--threads", "3");
  note_source(settings, setting_row("threads"), "flag --threads");
  Settings copy = settings;
  EXPECT_EQ(source(copy, "threads"), "flag --threads");
  copy.threads = 4;
  EXPECT_EQ(source(copy, "threads"), "program");
  note_source(copy, setting_row("threads"), "file a.yaml:3");
  EXPECT_EQ(source(copy, "threads"), "file a.yaml:3");
  EXPECT_EQ(source(settings, "threads"), "flag --threads");
}

std::string shown_of(const SettingsInForce& settings, std::string_view name) {
  for (const SettingInForce& each : settings.shown("127.0.0.1:1")) {
    if (each.name == name) return each.value + " of " + each.from;
  }
  return "not shown";
}

TEST(SettingsInForce, AreShownAsTheyCount) {
  Settings settings;
  settings.limits.idle_timeout = std::chrono::milliseconds(1'500);
  SettingsInForce in_force(settings, resolve(settings, std::nullopt), std::nullopt);
  EXPECT_EQ(shown_of(in_force, "listen"), "127.0.0.1:1 of default");
  EXPECT_EQ(shown_of(in_force, "port"), "not shown");
  EXPECT_EQ(shown_of(in_force, "limits.idle_timeout"), "1.5 of program");
  EXPECT_EQ(shown_of(in_force, "limits.max_connection_age"), "0 of default");
  EXPECT_EQ(shown_of(in_force, "limits.connections"), "16384 of default");
  EXPECT_EQ(shown_of(in_force, "early_end"), "true of default");
  EXPECT_EQ(shown_of(in_force, "grace_period"), "5 of default");
  EXPECT_EQ(shown_of(in_force, "blocking_queue"), "4096 of default");
  EXPECT_EQ(shown_of(in_force, "reflection"), "false of default");
  EXPECT_EQ(shown_of(in_force, "log_file"), "standard error of default");
  EXPECT_EQ(shown_of(in_force, "server_admin"), "off of default");
  // Chosen by the machine.
  EXPECT_THAT(shown_of(in_force, "threads"), ::testing::MatchesRegex("[0-9]+ of default"));
  EXPECT_THAT(shown_of(in_force, "limits.memory_bytes"),
              ::testing::MatchesRegex("[0-9]+ of default"));
  in_force.update([](Settings& now) {
    now.log_level = LogLevel::debug;
    note_source(now, setting_row("log_level"), "admin");
  });
  EXPECT_EQ(shown_of(in_force, "log_level"), "DEBUG of admin");
}

TEST(SettingsInForce, AnAddressIsOfWhoNamedIt) {
  Settings settings;
  EXPECT_EQ(shown_of(SettingsInForce(settings, resolve(settings, "7"), "7"), "listen"),
            "127.0.0.1:1 of program");
  setting_row("port").set(settings, "--port", "7");
  note_source(settings, setting_row("port"), "flag --port");
  EXPECT_EQ(
      shown_of(SettingsInForce(settings, resolve(settings, std::nullopt), std::nullopt), "listen"),
      "127.0.0.1:1 of flag --port");
}

}  // namespace
}  // namespace extproc::server::testing
