#include "settings_file/reader.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "extproc/settings_file.h"
#include "settings_file/keys.h"
#include "settings_file/tree.h"
#include "written.h"

namespace extproc::settings_file {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Plan plan(std::string_view text) {
  Errors errors("a.yaml");
  const Plan plan = read_plan(read_tree(text, errors), errors);
  errors.throw_if_any();
  return plan;
}

std::string refused_plan(std::string_view text) {
  return refusal_of([&] { plan(text); });
}

/// A value that the row takes, and that is not its default.
std::string value_for(const server::SettingRow& row) {
  switch (row.unit) {
    case server::Unit::on_or_off:
      return row.flag_value == "false" || row.name == "reveal_chain" ? "false" : "true";
    case server::Unit::log_level:
      return "ERROR";
    case server::Unit::log_format:
      return "json";
    case server::Unit::header_name:
    case server::Unit::header_names:
      return "x-other";
    case server::Unit::seconds:
      return "77";
    case server::Unit::bytes:
    case server::Unit::count:
      return "77777";
    case server::Unit::port:
      return "7777";
    default:
      return "unix:/somewhere";
  }
}

TEST(Reader, EverySettingHasItsKey) {
  for (const auto& row : server::setting_rows()) {
    const std::string value = value_for(row);
    const std::string key(key_of(row));
    const std::string line = key + ": " + value;
    const Plan read =
        plan(group_of(row).empty() ? line : std::string(group_of(row)) + ": {" + line + "}");
    const Given* given = read.common.given.find(row.name);
    ASSERT_NE(given, nullptr) << row.name;
    EXPECT_EQ(given->text, value);
    EXPECT_EQ(given->source, "a.yaml:1");
    Settings by_flag;
    row.set(by_flag, "", value);
    if (row.value != nullptr) {
      EXPECT_EQ(row.value(read.common.settings()), row.value(by_flag)) << row.name;
      EXPECT_NE(row.value(by_flag), row.value(Settings{})) << row.name;
    }
    EXPECT_EQ(row.is_set(read.common.settings()), row.is_set(by_flag)) << row.name;
  }
}

TEST(Reader, ServicesUnderWhatStandsAtTheTop) {
  const Plan read = plan(R"(
grace_period: 2.5
module_path: [/a, /b]
redacted_headers: [x-a, X-B]
limits: {message_bytes: 1m, connections: 5}
filter:
  allowed_override_modes:
    - {response_body_mode: STREAMED, response_trailer_mode: SEND}
services:
  - processors:
      - a.One
      - name: a.Two
        settings: {key: value}
    port: 7
    limits: {connections: 6}
  - processors: [a.Three]
    listen: unix:/x
)");
  EXPECT_THAT(read.module_path, ElementsAre("/a", "/b"));
  const Settings top = read.common.settings();
  EXPECT_EQ(top.grace_period, 2500ms);
  EXPECT_THAT(top.redacted_headers, ElementsAre("x-a", "x-b"));
  ASSERT_EQ(top.filter.allowed_override_modes.size(), 1U);
  EXPECT_EQ(top.filter.allowed_override_modes[0],
            (ModeOverride{.response_body_mode = BodySendMode::streamed,
                          .response_trailer_mode = HeaderSendMode::send}));
  ASSERT_EQ(read.services.size(), 2U);
  const auto& first = read.services[0];
  EXPECT_EQ(first.line, 10);
  ASSERT_EQ(first.processors.size(), 2U);
  EXPECT_EQ(first.processors[0].name, "a.One");
  EXPECT_EQ(first.processors[1].own.find("key")->text, "value");
  EXPECT_EQ(first.common.settings().limits.connections, 6U);
  EXPECT_EQ(first.common.given.find("limits.message_bytes"), nullptr);
  EXPECT_EQ(read.services[1].common.settings().listen, "unix:/x");
}

TEST(Reader, Tls) {
  const Plan read = plan(
      "tls: {certificate_file: c, key_file: k, client_ca_file: a, allowed_sans: ['dns:x'], "
      "min_version: 1.3}");
  ASSERT_TRUE(read.common.tls);
  EXPECT_EQ(read.common.tls->settings.certificate_file, "c");
  EXPECT_THAT(read.common.tls->settings.allowed_sans, ElementsAre("dns:x"));
  EXPECT_EQ(read.common.tls->settings.min_version, TlsVersion::v1_3);
}

TEST(Reader, WhatIsWrongIsToldWithWhatIsRight) {
  const std::pair<const char*, const char*> cases[] = {
      {"grace_perod: 5",
       "a.yaml:1: grace_perod is no setting here: did you mean \"grace_period\"?"},
      {"grace-period: 5", "did you mean \"grace_period\"?"},
      {"message_bytes: 5", "did you mean \"limits.message_bytes\"?"},
      {"limits: {conections: 5}", "limits.conections is no setting here: did you mean"},
      {"limits: {threads: 5}", "did you mean \"threads\"?"},
      {"qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq: 5", "is no setting here: there are"},
      {"threads: many", "threads is \"many\": it must be a number"},
      {"threads: [1]", "threads is a list: it must be a number"},
      {"threads: -1", "threads is \"-1\""},
      {"threads:", "threads has no value"},
      {"grace_period: 5s", "grace_period is \"5s\": it must be a number of seconds"},
      {"early_end: maybe", "early_end is \"maybe\": it must be true or false"},
      {"early_end: 1", "early_end is \"1\": it must be true or false"},
      {"log_file: 5", "log_file is \"5\": it must be a text: put it into quotation marks"},
      {"limits: {message_bytes: 4g}", "limits.message_bytes is 4294967296: it must be from"},
      {"limits: 5", "limits is \"5\": it must be a mapping"},
      {"[1]", "the file is a list: it must be a mapping"},
      {"port: 1\nlisten: a:1", "a.yaml:2: port and listen are both given"},
      {"services: {}", "services is a mapping: it must be a list of services"},
      {"services: []", "services is an empty list"},
      {"services: [5]", "a service is \"5\": it must be a mapping"},
      {"services: [{port: 1}]", "processors is missing"},
      {"services: [{processors: []}]", "processors is an empty list"},
      {"services: [{processors: [{settings: {}}]}]", "name is missing"},
      {"services: [{processors: [a.B, a.B]}]", "a.B is in the chain twice"},
      {"services: [{processors: [{name: a.B, setings: {}}]}]", "did you mean \"settings\"?"},
      {"services: [{processors: [{name: a.B, settings: [1]}]}]",
       "settings of a processor is a list: it must be a mapping"},
      {"services: [{processors: [a.B], log_level: INFO}]", "log_level is of the process"},
      {"services: [{processors: [a.B], module_path: /a}]", "module_path is no setting here"},
      {"processors: [a.B]", "processors is no setting here"},
      {"tls: {key_file: a}", "tls has no certificate_file"},
      {"tls: {certificate_file: a, min_version: 1.1}", "tls.min_version is \"1.1\""},
      {"tls: {cert: a}", "tls.cert is no setting here"},
      {"tls: {certificate_file: a, allowed_sans: x}",
       "tls.allowed_sans is \"x\": it must be a list"},
      {"filter: {allowed_override_modes: [{request_body_mode: LOUD}]}",
       "request_body_mode is \"LOUD\": it must be one of NONE, STREAMED"},
      {"filter: {allowed_override_modes: [{body: NONE}]}", "body is no field of ProcessingMode"},
      {"module_path: ''", "module_path is \"\": it must be a text that is not empty"},
  };
  for (const auto& [text, told] : cases)
    EXPECT_THAT(refused_plan(text), AllOf(HasSubstr("a.yaml:"), HasSubstr(told))) << text;
}

TEST(Reader, AllErrorsAreToldAtOnceUpToTwenty) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "wrong_" + std::to_string(i) + ": 1\n";
  const std::string told = refused_plan(text);
  EXPECT_THAT(told, AllOf(HasSubstr("a.yaml has 30 errors:\na.yaml:1: wrong_0 "),
                          HasSubstr("a.yaml:20: wrong_19 "), HasSubstr("and 10 more")));
  EXPECT_EQ(told.find("wrong_20"), std::string::npos);
}

TEST(Reader, OfAProgram) {
  const Written file(
      "limits: {connections: 5}\nservices: [{processors: [{name: Mine, settings: {n: 3}}]}]");
  const SettingsFile read = read_settings_file(file.path());
  EXPECT_EQ(read.settings.limits.connections, 5U);
  ASSERT_EQ(read.services.size(), 1U);
  EXPECT_EQ(read.services[0].settings.limits.connections, 5U);
  EXPECT_EQ(read.services[0].processors[0].name, "Mine");
  EXPECT_EQ(read.services[0].processors[0].settings.get<int>("n"), 3);
}

TEST(Schema, ThatOfTheRepositoryIsCurrent) {
  std::ifstream in(EXTPROC_SOURCES "/deploy/settings.schema.json");
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), settings_file_schema())
      << "write it anew: extproc serve --settings-schema > deploy/settings.schema.json";
}

TEST(Schema, TheDocsNameEveryKey) {
  std::ifstream in(EXTPROC_SOURCES "/docs/settings.md");
  std::stringstream page;
  page << in.rdbuf();
  for (const auto& row : server::setting_rows())
    EXPECT_THAT(page.str(), HasSubstr("| `" + std::string(row.name) + "` |"));
  for (const TlsKey& key : tls_keys())
    EXPECT_THAT(page.str(), HasSubstr("`" + std::string(key.name) + "`"));
}

}  // namespace
}  // namespace extproc::settings_file
