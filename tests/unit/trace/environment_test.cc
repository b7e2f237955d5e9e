#include "trace/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "extproc/error.h"

namespace extproc::trace {
namespace {

using Variables = std::map<std::string, std::string>;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::optional<TraceSettings> from(const Variables& variables) {
  return settings_from([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

/// With an endpoint besides.
TraceSettings with(Variables variables) {
  variables.emplace("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1");
  const auto settings = from(variables);
  EXPECT_TRUE(settings);
  return settings.value_or(TraceSettings());
}

TEST(TraceEnvironment, IsOffUnlessSomethingSaysOtherwise) {
  const std::pair<std::string, std::string> endpoint{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"};
  EXPECT_FALSE(from({}));
  EXPECT_FALSE(from({{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}}));
  EXPECT_FALSE(from({{"OTEL_SERVICE_NAME", "a"}, {"OTEL_TRACES_SAMPLER", "no such"}}));
  EXPECT_FALSE(from({endpoint, {"OTEL_SDK_DISABLED", "TRUE"}}));
  EXPECT_FALSE(from({endpoint, {"OTEL_TRACES_EXPORTER", "none"}}));
  EXPECT_TRUE(from({endpoint}));
  EXPECT_TRUE(from({endpoint, {"OTEL_SDK_DISABLED", "false"}}));
  EXPECT_TRUE(from({endpoint, {"OTEL_SDK_DISABLED", "1"}}));
  EXPECT_TRUE(from({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/x"}}));
  EXPECT_EQ(from({{"OTEL_TRACES_EXPORTER", "otlp"}})->endpoint, "http://localhost:4318/v1/traces");
}

TEST(TraceEnvironment, TheGeneralEndpointHasAPathBehindIt) {
  EXPECT_EQ(with({}).endpoint, "http://c:1/v1/traces");
  EXPECT_EQ(with({{"OTEL_EXPORTER_OTLP_ENDPOINT", " http://d/a/ "}}).endpoint,
            "http://d/a/v1/traces");
  EXPECT_EQ(with({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://d"}}).endpoint, "http://d");
}

TEST(TraceEnvironment, OfTracesGoesBeforeTheGeneralOne) {
  const TraceSettings settings = with({{"OTEL_EXPORTER_OTLP_HEADERS", "a=1"},
                                       {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=x%2Cy%20z, c = 3"},
                                       {"OTEL_EXPORTER_OTLP_TIMEOUT", "1"},
                                       {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250"}});
  EXPECT_THAT(settings.headers, ElementsAre(Pair("b", "x,y z"), Pair("c", "3")));
  EXPECT_EQ(settings.timeout.count(), 250);
  EXPECT_THAT(with({{"OTEL_EXPORTER_OTLP_HEADERS", "a=1"}}).headers, ElementsAre(Pair("a", "1")));
}

TEST(TraceEnvironment, TheNameOfTheService) {
  const std::pair<std::string, std::string> resource{
      "OTEL_RESOURCE_ATTRIBUTES", "service.name=of%20it,k8s.pod.name=p-1,empty="};
  EXPECT_EQ(with({}).service_name, "");
  EXPECT_EQ(with({resource}).service_name, "of it");
  EXPECT_THAT(with({resource}).resource_attributes,
              ElementsAre(Pair("k8s.pod.name", "p-1"), Pair("empty", "")));
  EXPECT_EQ(with({resource, {"OTEL_SERVICE_NAME", "other"}}).service_name, "other");
}

TEST(TraceEnvironment, TheSampler) {
  EXPECT_EQ(with({}).sampler, TraceSampler::parentbased_always_on);
  EXPECT_EQ(with({{"OTEL_TRACES_SAMPLER", "always_off"}, {"OTEL_TRACES_SAMPLER_ARG", "x"}}).sampler,
            TraceSampler::always_off);
  const auto ratio = with(
      {{"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", "0.01"}});
  EXPECT_EQ(ratio.sampler, TraceSampler::parentbased_traceidratio);
  EXPECT_EQ(ratio.ratio, 0.01);
  EXPECT_EQ(with({{"OTEL_TRACES_SAMPLER", "traceidratio"}}).ratio, 1);
}

TEST(TraceEnvironment, TheSizes) {
  const auto settings = with({{"OTEL_BSP_SCHEDULE_DELAY", "100"},
                              {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "7"},
                              {"OTEL_BSP_MAX_QUEUE_SIZE", "2048"}});
  EXPECT_EQ(settings.delay.count(), 100);
  EXPECT_EQ(settings.batch_spans, 7U);
  EXPECT_EQ(settings.queue_spans, 2048U);
}

TEST(TraceEnvironment, SaysWhatIsWrongAndWhatToDo) {
  struct Row {
    const char* variable;
    const char* value;
    const char* says;
  };
  for (const Row& row :
       {Row{"OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "must be a URL"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://c", "clear text"},
        {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"},
        {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "http/protobuf"},
        {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "none"},
        {"OTEL_EXPORTER_OTLP_HEADERS", "secret", "pairs with commas"},
        {"OTEL_EXPORTER_OTLP_HEADERS", "a=%2", "pairs with commas"},
        {"OTEL_EXPORTER_OTLP_HEADERS", "a b=secret", "none of a header"},
        {"OTEL_EXPORTER_OTLP_HEADERS", "a=secret%0d%0ax:y", "has \"a\", whose value"},
        {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "Authorization: secret==", "none of a header"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:1", "is \"https://c:1\": it must"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:secret@c", "is \"http://...@c\": it must"},
        {"OTEL_EXPORTER_OTLP_TIMEOUT", "0", "whole number from 1"},
        {"OTEL_EXPORTER_OTLP_TIMEOUT", "1s", "whole number from 1"},
        {"OTEL_RESOURCE_ATTRIBUTES", "a", "pairs with commas"},
        {"OTEL_TRACES_EXPORTER", "zipkin", "otlp, or none"},
        {"OTEL_TRACES_SAMPLER", "sometimes", "parentbased_traceidratio"},
        {"OTEL_BSP_SCHEDULE_DELAY", "-1", "whole number"},
        {"OTEL_BSP_MAX_QUEUE_SIZE", "0", "whole number from 1"},
        {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "many", "whole number from 1"}}) {
    Variables variables{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"}};
    variables[row.variable] = row.value;
    try {
      from(variables);
      ADD_FAILURE() << row.variable << "=" << row.value;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(row.says)) << row.variable << "=" << row.value;
      // What the user has written, and not what it is filled into.
      EXPECT_THAT(error.what(), ::testing::StartsWith(row.variable + std::string(" ")));
      EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("secret")));
    }
  }
}

TEST(TraceEnvironment, RatiosThatAreNone) {
  for (const char* ratio : {"1.1", "-0.1", "nan", "inf", "0.5x", "half"}) {
    EXPECT_THROW(from({{"OTEL_TRACES_EXPORTER", "otlp"},
                       {"OTEL_TRACES_SAMPLER", "traceidratio"},
                       {"OTEL_TRACES_SAMPLER_ARG", ratio}}),
                 Error)
        << ratio;
  }
}

TEST(TraceSettingsCheck, NamesTheMember) {
  const auto said = [](const TraceSettings& settings) -> std::string {
    try {
      check(settings);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing";
  };
  EXPECT_EQ(said({}), "nothing");
  EXPECT_THAT(
      said({.endpoint = "https://c"}),
      ::testing::StartsWith("TraceSettings::endpoint is \"https://c\": it must be http://"));
  EXPECT_THAT(said({.headers = {{"a b", "c"}}}), ::testing::StartsWith("TraceSettings::headers "));
  EXPECT_THAT(said({.ratio = 2}), ::testing::StartsWith("TraceSettings::ratio "));
}

}  // namespace
}  // namespace extproc::trace
