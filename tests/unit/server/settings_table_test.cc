// The table of settings: it has all of them, each does what it says, and the docs say the same.
#include "server/settings_table.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "extproc/error.h"

namespace extproc::server {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// Stands for a member of any type.
struct Anything {
  template <class T>
  operator T() const;  // NOLINT(google-explicit-constructor)
};

/// How many members an aggregate has.
template <class T, std::size_t... kIndices>
constexpr std::size_t members(std::index_sequence<kIndices...>) {
  if constexpr (requires { T{(static_cast<void>(kIndices), Anything{})...}; }) {
    return sizeof...(kIndices);
  } else {
    return members<T>(std::make_index_sequence<sizeof...(kIndices) - 1>());
  }
}

TEST(SettingsTable, HasEveryLimit) {
  std::set<std::string> names;
  for (const SettingRow& row : setting_rows()) {
    EXPECT_TRUE(names.emplace(row.name).second) << row.name << " twice";
    EXPECT_FALSE(row.help.empty()) << row.name;
  }
  const auto limits = std::ranges::count_if(setting_rows(), is_limit);
  EXPECT_EQ(limits, members<Limits>(std::make_index_sequence<64>()))
      << "a member of Limits has no row in server/settings_table.cc";
  // The modes that overrides may choose are a list.
  const auto of_filter = std::ranges::count_if(setting_rows(), is_of_filter);
  EXPECT_EQ(of_filter + 1, members<FilterSettings>(std::make_index_sequence<64>()))
      << "a member of FilterSettings has no row in server/settings_table.cc";
}

TEST(SettingsTable, WhatTheFilterIsSetTo) {
  for (const SettingRow& row : setting_rows()) {
    if (!is_of_filter(row)) continue;
    EXPECT_TRUE(row.name.starts_with("filter.")) << row.name;
    EXPECT_EQ(row.flag_value, row.unit == Unit::on_or_off ? "true" : "") << row.name;
  }
  Settings settings;
  setting_row("filter.message_timeout").set(settings, "", "1.5");
  setting_row("filter.max_message_timeout").set(settings, "", "3");
  EXPECT_EQ(settings.filter.message_timeout, 1500ms);
  EXPECT_EQ(settings.filter.max_message_timeout, 3s);
  const std::pair<const char*, bool FilterSettings::*> flags[] = {
      {"filter.allow_all_routing", &FilterSettings::allow_all_routing},
      {"filter.allow_envoy", &FilterSettings::allow_envoy},
      {"filter.allow_content_length_header", &FilterSettings::allow_content_length_header},
      {"filter.allow_mode_override", &FilterSettings::allow_mode_override}};
  for (const auto& [name, member] : flags) {
    Settings one;
    setting_row(name).set(one, "", "true");
    for (const auto& [other, of_other] : flags) EXPECT_EQ(one.filter.*of_other, name == other);
    EXPECT_TRUE(one.filter.*member) << name;
  }
  setting_row("listen").set(settings, "", "unix:/a");
  EXPECT_EQ(settings.listen, "unix:/a");
}

TEST(SettingsTable, ALimitIsAFlagAndIsSet) {
  for (const SettingRow& row : setting_rows()) {
    if (!is_limit(row)) continue;
    Settings settings;
    const std::int64_t before = row.value(settings);
    const std::string text = std::to_string(row.unit == Unit::seconds ? 77 : 77'777);
    row.set(settings, flag_of(row), text);
    EXPECT_NE(row.value(settings), before) << row.name;
    EXPECT_EQ(row.value(settings), row.unit == Unit::seconds ? 77'000 : 77'777) << row.name;
    EXPECT_TRUE(flag_of(row).starts_with("--")) << row.name;
    for (const SettingRow& other : setting_rows()) {
      if (is_limit(other) && other.name != row.name) {
        EXPECT_EQ(other.value(settings), other.value(Settings{})) << row.name << ": " << other.name;
      }
    }
  }
}

/// What is said of a value that a flag is given; empty where it is taken.
std::string refusal(const char* name, const char* text) {
  Settings settings;
  try {
    setting_row(name).set(settings, "--flag", text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(SettingsTable, WrongValuesAreRefusedByTheirFlag) {
  const std::pair<const char*, const char*> cases[] = {{"limits.message_bytes", "-1"},
                                                       {"limits.message_bytes", ""},
                                                       {"limits.message_bytes", "m"},
                                                       {"limits.message_bytes", "1.5m"},
                                                       {"limits.message_bytes", "1x"},
                                                       {"limits.message_bytes", "99999999999t"},
                                                       {"limits.connections", "5000000000"},
                                                       {"limits.connections", "1k"},
                                                       {"limits.frame_timeout", "-1"},
                                                       {"limits.frame_timeout", "nan"},
                                                       {"threads", "-1"},
                                                       {"port", "65536"},
                                                       {"log_level", "loud"}};
  for (const auto& [name, text] : cases) {
    EXPECT_THAT(refusal(name, text),
                ::testing::StartsWith("--flag is \"" + std::string(text) + "\""))
        << name;
  }
}

TEST(SettingsTable, ALimitOutOfItsRangeIsRefusedByWhoSetsIt) {
  const std::pair<const char*, const char*> cases[] = {{"limits.held_time", "0"},
                                                       {"limits.streams_per_connection", "0"},
                                                       {"limits.stream_window_bytes", "64"},
                                                       {"limits.message_bytes", "4g"}};
  for (const auto& [name, text] : cases) {
    EXPECT_THAT(refusal(name, text), ::testing::MatchesRegex("--flag is .*: it must be from .*"))
        << name;
  }
}

TEST(SettingsTable, WhatIsShownIsReadAgain) {
  const auto text_for = [](const SettingRow& row) -> std::string {
    switch (row.unit) {
      case Unit::seconds:
        return "77.25";
      case Unit::bytes:
      case Unit::count:
        return "77777";
      case Unit::port:
        return "77";
      case Unit::on_or_off:
        return row.show(Settings{}) == "true" ? "false" : "true";
      case Unit::log_level:
        return "ERROR";
      case Unit::log_format:
        return "json";
      case Unit::header_name:
        return "x-name";
      case Unit::header_names:
        return "x-name,x-other";
      case Unit::address:
        return "127.0.0.1:77";
      case Unit::text:
        return "text";
    }
    return "";
  };
  for (const SettingRow& row : setting_rows()) {
    Settings settings;
    const std::string text = text_for(row);
    row.set(settings, "", text);
    EXPECT_EQ(row.show(settings), text) << row.name;
    EXPECT_NE(row.show(Settings{}), text) << row.name;
  }
}

TEST(SettingsTable, AnAddressIsOne) {
  EXPECT_EQ(refusal("server_admin", "127.0.0.1:1"), "");
  EXPECT_EQ(refusal("server_admin", "unix:/a"), "");
  EXPECT_THAT(refusal("server_admin", "http://a:1"), HasSubstr("--flag \"http://a:1\": it is"));
}

TEST(SettingsTable, BytesHaveUnits) {
  const auto bytes = [](const char* text) {
    Settings settings;
    setting_row("limits.memory_bytes").set(settings, "", text);
    return settings.limits.memory_bytes;
  };
  EXPECT_EQ(bytes("1000"), 1'000U);
  EXPECT_EQ(bytes("64k"), 64U << 10U);
  EXPECT_EQ(bytes("2MiB"), 2U << 20U);
  EXPECT_EQ(bytes("3mb"), 3U << 20U);
  EXPECT_EQ(bytes("4G"), std::size_t{4} << 30U);
}

TEST(SettingsTable, NamesOfHeadersAreAList) {
  const SettingRow& row = setting_row("redacted_headers");
  Settings settings;
  row.set(settings, "", "X-Token,:path,host");
  EXPECT_THAT(settings.redacted_headers, ::testing::ElementsAre("x-token", ":path", "host"));
  for (const char* wrong : {"", ",", "a,", ",a", "a b", "a, b", "::a"})
    EXPECT_THROW(row.set(settings, "--redacted-headers", wrong), Error) << wrong;
}

TEST(SettingsTable, DefaultsAreShownAsPeopleSayThem) {
  const std::pair<const char*, const char*> cases[] = {
      {"limits.message_bytes", "16 MiB"},     {"limits.header_list_bytes", "64 KiB"},
      {"limits.connections", "16,384"},       {"limits.streams_per_connection", "800"},
      {"limits.frame_timeout", "30 s"},       {"limits.incomplete_message_timeout", "1 min"},
      {"limits.unread_timeout", "5 min"},     {"limits.idle_timeout", "1 h"},
      {"limits.owed_resets_burst", "100,000"}};
  for (const auto& [name, text] : cases) EXPECT_EQ(default_of(setting_row(name)), text) << name;
}

/// The row of a table on a page that names this flag.
std::string row_of(const char* page, const std::string& flag) {
  std::ifstream in(std::string(EXTPROC_DOCS "/") + page);
  EXPECT_TRUE(in) << page;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("|") && line.find("`" + flag + "`") != std::string::npos) return line;
  }
  return "";
}

TEST(SettingsTable, TheDocsSayTheSame) {
  for (const SettingRow& row : setting_rows()) {
    if (!is_limit(row)) continue;
    const std::string line = row_of("limits.md", flag_of(row));
    const std::string member(row.name.substr(row.name.find('.') + 1));
    EXPECT_THAT(line, HasSubstr("`Limits::" + member + "`"));
    EXPECT_THAT(line, HasSubstr(default_of(row))) << row.name;
  }
  for (const SettingRow& row : setting_rows()) {
    if (row.variable.empty()) continue;
    EXPECT_NE(row_of("guide.md", std::string(row.variable)), "") << row.variable;
  }
  for (const SettingRow& row : setting_rows()) {
    if (!is_of_filter(row)) continue;
    const std::string member(row.name.substr(row.name.find('.') + 1));
    EXPECT_THAT(row_of("guide.md", flag_of(row)), HasSubstr(member + "`"));
  }
}

}  // namespace
}  // namespace extproc::server
