// Settings from the environment: where it is asked for, and where a Server still reads it unasked.
#include "server/environment.h"

#include <gmock/gmock.h>

#include <map>

#include "extproc/error.h"
#include "server/server_fixture.h"
#include "server/variable.h"

namespace extproc::server::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Variables = std::map<std::string, std::string>;

const Variables kAllVariables{
    {"GRPC_PORT", "8000"},           {"SHUTDOWN_GRACE_PERIOD", "0.25"},
    {"REVEAL_EXTPROC_CHAIN", "no"},  {"EXTPROCS_APPLIED_HEADER", "X-Applied"},
    {"LOG_LEVEL", "error"},          {"LOG_FORMAT", "JSON"},
    {"LOG_FILE", "/var/log/extproc"}};

FilledSettings fill(Variables variables, Settings settings = {}, bool address_counts = true) {
  return fill_from_environment(std::move(settings), address_counts,
                               [&](const char* name) -> std::optional<std::string> {
                                 const auto found = variables.find(name);
                                 if (found == variables.end()) return std::nullopt;
                                 return found->second;
                               });
}

Settings taken(const char* variable, const char* value) {
  return fill({{variable, value}}).settings;
}

/// The reason for which a value is refused.
std::string refused(const char* variable, const char* value) {
  try {
    fill({{variable, value}});
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Environment, FillsWhatIsUnset) {
  const FilledSettings filled = fill(kAllVariables);
  EXPECT_EQ(filled.settings.port, 8000);
  EXPECT_EQ(filled.settings.grace_period, 250ms);
  EXPECT_EQ(filled.settings.reveal_chain, false);
  EXPECT_EQ(filled.settings.applied_header, "x-applied");
  EXPECT_EQ(filled.settings.log_level, LogLevel::error);
  EXPECT_EQ(filled.settings.log_format, LogFormat::json);
  EXPECT_EQ(filled.settings.log_file, "/var/log/extproc");
  EXPECT_THAT(filled.variables,
              ElementsAre("GRPC_PORT", "SHUTDOWN_GRACE_PERIOD", "REVEAL_EXTPROC_CHAIN",
                          "EXTPROCS_APPLIED_HEADER", "LOG_LEVEL", "LOG_FORMAT", "LOG_FILE"));
}

TEST(Environment, WithoutVariablesNothingIsFilled) {
  const FilledSettings filled = fill({});
  EXPECT_FALSE(filled.settings.port || filled.settings.grace_period ||
               filled.settings.reveal_chain || filled.settings.applied_header ||
               filled.settings.log_level || filled.settings.log_format || filled.settings.log_file);
  EXPECT_THAT(filled.variables, IsEmpty());
}

TEST(Environment, SettingsWinEvenOverAWrongOne) {
  Settings settings;
  settings.port = 1234;
  settings.grace_period = 1ms;
  settings.reveal_chain = true;
  settings.applied_header = "x-chain";
  settings.log_level = LogLevel::off;
  settings.log_format = LogFormat::text;
  settings.log_file = "/dev/null";
  settings.threads = 3;
  Variables wrong;
  for (const auto& [name, value] : kAllVariables) wrong[name] = "wrong:";
  const FilledSettings filled = fill(wrong, settings);
  EXPECT_EQ(filled.settings.port, 1234);
  EXPECT_EQ(filled.settings.grace_period, 1ms);
  EXPECT_EQ(filled.settings.reveal_chain, true);
  EXPECT_EQ(filled.settings.applied_header, "x-chain");
  EXPECT_EQ(filled.settings.log_level, LogLevel::off);
  EXPECT_EQ(filled.settings.log_format, LogFormat::text);
  EXPECT_EQ(filled.settings.log_file, "/dev/null");
  EXPECT_EQ(filled.settings.threads, 3U);
  EXPECT_THAT(filled.variables, IsEmpty());
}

TEST(Environment, ThePortIsNotLookedAtWhereItWouldNotCount) {
  Settings settings;
  settings.listen = "127.0.0.1:1";
  EXPECT_EQ(fill({{"GRPC_PORT", "wrong"}}, settings).settings.port, std::nullopt);
  EXPECT_EQ(fill({{"GRPC_PORT", "wrong"}}, {}, false).settings.port, std::nullopt);
}

TEST(Environment, Switches) {
  for (const char* on : {"t", "T", "true", "TRUE", "True", "y", "Y", "yes", "YES", "1", "on"}) {
    EXPECT_EQ(taken("REVEAL_EXTPROC_CHAIN", on).reveal_chain, true) << on;
  }
  for (const char* off : {"f", "F", "false", "FALSE", "n", "no", "No", "0", "off", "OFF"}) {
    EXPECT_EQ(taken("REVEAL_EXTPROC_CHAIN", off).reveal_chain, false) << off;
  }
}

TEST(Environment, LogLevels) {
  const std::pair<const char*, LogLevel> cases[] = {
      {"DEBUG", LogLevel::debug},       {"debug", LogLevel::debug},  {"INFO", LogLevel::info},
      {"WARNING", LogLevel::warning},   {"warn", LogLevel::warning}, {"ERROR", LogLevel::error},
      {"Critical", LogLevel::critical}, {"OFF", LogLevel::off}};
  for (const auto& [text, level] : cases) {
    EXPECT_EQ(taken("LOG_LEVEL", text).log_level, level) << text;
  }
}

TEST(Environment, LogFormats) {
  for (const char* text : {"text", "Text", "TEXT"})
    EXPECT_EQ(taken("LOG_FORMAT", text).log_format, LogFormat::text) << text;
  for (const char* json : {"json", "JSON"})
    EXPECT_EQ(taken("LOG_FORMAT", json).log_format, LogFormat::json) << json;
}

TEST(Environment, GracePeriods) {
  const std::pair<const char*, std::chrono::milliseconds> cases[] = {
      {"0", 0ms}, {"5", 5s}, {"0.5", 500ms}, {".001", 1ms}, {"1e2", 100s}};
  for (const auto& [text, time] : cases) {
    EXPECT_EQ(taken("SHUTDOWN_GRACE_PERIOD", text).grace_period, time) << text;
  }
}

TEST(Environment, AWrongValueIsToldWithItsVariableAndWhatItAccepts) {
  struct Row {
    const char* variable;
    std::vector<const char*> values;
    const char* accepted;
  };
  const Row rows[] = {
      {"GRPC_PORT", {"abc", "-1", "65536", "80x", " 80", "1e3"}, "a port from 0 to 65535"},
      {"SHUTDOWN_GRACE_PERIOD",
       {"abc", "-1", "nan", "inf", "5s", "1e9"},
       "a number of seconds, as in \"5\" or \"0.5\""},
      {"REVEAL_EXTPROC_CHAIN",
       {"maybe", "2", "tr"},
       "one of t, true, y, yes, 1, on, f, false, n, no, 0, off"},
      {"EXTPROCS_APPLIED_HEADER",
       {"host", "Host", ":path", "a b", "x:", "\xC3\xA9"},
       "the name of a header, other than \"host\" and those that begin with \":\""},
      {"LOG_LEVEL", {"verbose", "0"}, "one of DEBUG, INFO, WARNING, ERROR, CRITICAL, OFF"},
      {"LOG_FORMAT", {"xml", "json ", "1"}, "one of text, json"}};
  for (const auto& [variable, values, accepted] : rows) {
    for (const char* value : values) {
      EXPECT_EQ(refused(variable, value),
                std::string(variable) + " is \"" + value + "\": it must be " + accepted);
    }
  }
}

TEST(Environment, OfTheProcess) {
  const Variable empty("LOG_LEVEL", "");
  const Variable port("GRPC_PORT", "8001");
  EXPECT_EQ(Settings::from_environment().port, 8001);
  EXPECT_EQ(Settings::from_environment().log_level, std::nullopt);
  Settings given;
  given.listen = "unix:/a";
  given.threads = 2;
  EXPECT_EQ(Settings::from_environment(given).listen, "unix:/a");
  EXPECT_EQ(Settings::from_environment(given).threads, 2U);
  EXPECT_EQ(Settings::from_environment(given).port, std::nullopt);
  const Variable wrong("SHUTDOWN_GRACE_PERIOD", "soon");
  EXPECT_THROW(Settings::from_environment(), Error);
}

TEST(Environment, TracingThatCannotBeUsedIsLeftOut) {
  const Variable endpoint("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1");
  EXPECT_EQ(Settings::from_environment().tracing->endpoint, "http://c:1/v1/traces");
  const Variable protocol("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
  EXPECT_FALSE(Settings::from_environment().tracing);
  // Who asks for nothing else is told as ever.
  EXPECT_THROW(TraceSettings::from_environment(), Error);
  Settings given;
  given.tracing = TraceSettings{.endpoint = "http://d/"};
  EXPECT_EQ(Settings::from_environment(given).tracing->endpoint, "http://d/");
}

/// What a server says of the environment when it is made.
class UnaskedTest : public ServerTest {
 protected:
  UnaskedTest() {
    settings.listen.reset();
    settings.log_level.reset();
  }

  std::vector<std::string> warnings(const Settings& given,
                                    Service service = Service::make<BaseExtProcService>()) {
    const std::size_t before = log().size();
    const Server server(std::move(service), given);
    auto lines = log();
    return {lines.begin() + static_cast<std::ptrdiff_t>(before), lines.end()};
  }
};

TEST_F(UnaskedTest, WhatWasReadIsToldOnceWithWhatToWriteInstead) {
  const Variable port("GRPC_PORT", "0");
  const Variable reveal("REVEAL_EXTPROC_CHAIN", "false");
  EXPECT_THAT(warnings(settings),
              ElementsAre("WARNING settings that are unset were read from the environment "
                          "(GRPC_PORT, REVEAL_EXTPROC_CHAIN), which the next minor version does "
                          "not do: write Server(service, Settings::from_environment()), or "
                          "from_environment(settings) to keep settings of your own"));
}

TEST_F(UnaskedTest, EachVariableCounts) {
  for (const char* name : {"SHUTDOWN_GRACE_PERIOD", "REVEAL_EXTPROC_CHAIN"}) {
    const Variable variable(name, "1");
    EXPECT_THAT(warnings(settings), ElementsAre(HasSubstr(std::string("(") + name + ")")));
  }
  const Variable header("EXTPROCS_APPLIED_HEADER", "x-applied");
  EXPECT_THAT(warnings(settings), ElementsAre(HasSubstr("(EXTPROCS_APPLIED_HEADER)")));
}

TEST_F(UnaskedTest, NothingIsToldWhereNothingWasRead) {
  EXPECT_THAT(warnings(settings), IsEmpty());
  const Variable port("GRPC_PORT", "0");
  const Variable header("EXTPROCS_APPLIED_HEADER", "x-applied");
  EXPECT_THAT(warnings(Settings::from_environment(settings)), IsEmpty());
  settings.applied_header = "x-chain";
  EXPECT_THAT(warnings(settings, Service::make<BaseExtProcService>().on(0)), IsEmpty());
  settings.listen = "127.0.0.1:0";
  EXPECT_THAT(warnings(settings), IsEmpty());
}

TEST_F(UnaskedTest, TheLevelThatWasReadCountsForTheWarning) {
  for (const char* quiet : {"ERROR", "OFF"}) {
    const Variable level("LOG_LEVEL", quiet);
    EXPECT_THAT(warnings(settings), IsEmpty()) << quiet;
  }
  const Variable level("LOG_LEVEL", "WARNING");
  EXPECT_THAT(warnings(settings), ElementsAre(HasSubstr("(LOG_LEVEL)")));
}

TEST_F(UnaskedTest, TracingThatCannotBeUsedIsToldOnceByWhoAskedForIt) {
  const Variable protocol("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
  const Variable exporter("OTEL_TRACES_EXPORTER", "otlp");
  EXPECT_THAT(warnings(settings), IsEmpty());
  const Settings asked = Settings::from_environment(settings);
  EXPECT_THAT(
      warnings(asked),
      ElementsAre("WARNING there are no traces: OTEL_EXPORTER_OTLP_PROTOCOL is \"grpc\": it "
                  "must be http/protobuf, which is what spans are sent as; collectors take "
                  "that on port 4318. Where the variables of OpenTelemetry are meant for "
                  "others, OTEL_TRACES_EXPORTER=none says that this program is to send "
                  "none"));
  EXPECT_THAT(warnings(asked), IsEmpty());
  Settings traced = Settings::from_environment(settings);
  traced.tracing = TraceSettings();
  EXPECT_THAT(warnings(traced), IsEmpty());
}

TEST_F(UnaskedTest, TracingOfAProgramIsRefusedWhereItIsWrong) {
  settings.tracing = TraceSettings{.endpoint = "https://c"};
  EXPECT_THROW(Server(Service::make<BaseExtProcService>(), settings), Error);
}

TEST_F(UnaskedTest, AWrongValueIsRefusedAsBefore) {
  const Variable level("LOG_LEVEL", "LOUD");
  EXPECT_THROW(Server(Service::make<BaseExtProcService>(), settings), Error);
}

}  // namespace
}  // namespace extproc::server::testing
