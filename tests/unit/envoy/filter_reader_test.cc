#include "envoy/filter_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <chrono>
#include <string>
#include <vector>

namespace extproc::envoy_config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

struct Read {
  explicit Read(const std::string& yaml) : config(read_filter_config(YAML::Load(yaml), problems)) {}

  std::vector<Problem> problems;
  FilterConfig config;
};

std::string mend_of(const Read& read, int line) {
  for (const Problem& problem : read.problems) {
    if (problem.place.line == line) return problem.mend;
  }
  return "nothing";
}

TEST(FilterReader, NothingSaidIsEnvoysDefault) {
  const Read read("");
  EXPECT_THAT(read.problems, IsEmpty());
  EXPECT_EQ(*read.config.message_timeout, 200ms);
  EXPECT_FALSE(read.config.message_timeout.is_stated());
  EXPECT_FALSE(read.config.failure_mode_allow);
  EXPECT_FALSE(read.config.failure_mode_allow.is_stated());
  EXPECT_FALSE(read.config.grpc_service.is_stated());
  EXPECT_TRUE(read.config.processing_mode->sends(Phase::request_headers));
  EXPECT_FALSE(read.config.processing_mode->sends(Phase::request_trailers));
  EXPECT_EQ(read.config.status_on_error, 500);
}

TEST(FilterReader, WhatIsStatedHasItsPlace) {
  const Read read(
      "message_timeout: 1.5s\n"
      "processingMode:\n"
      "  requestBodyMode: BUFFERED\n"
      "  response_trailer_mode: 1\n"
      "mutation_rules: { disallow_all: true, disallow_expression: { regex: x-.* } }\n"
      "grpc_service: { envoy_grpc: { cluster_name: c } }\n");
  EXPECT_THAT(read.problems, IsEmpty());
  const FilterConfig& config = read.config;
  EXPECT_EQ(*config.message_timeout, 1500ms);
  EXPECT_EQ(config.message_timeout.key, (Place{1, 1}));
  EXPECT_EQ(config.message_timeout.place, (Place{1, 18}));
  EXPECT_EQ(config.processing_mode.key, (Place{2, 1}));
  EXPECT_EQ(config.processing_mode->request_body, BodySendMode::buffered);
  EXPECT_EQ(config.processing_mode->place_of(Phase::request_body), (Place{3, 3}));
  EXPECT_TRUE(config.processing_mode->sends(Phase::response_trailers));
  EXPECT_EQ(config.processing_mode->place_of(Phase::response_trailers), (Place{4, 3}));
  EXPECT_FALSE(config.processing_mode->place_of(Phase::request_headers));
  EXPECT_EQ(config.mutation_rules->disallow_all, (Place{5, 19}));
  EXPECT_EQ(config.mutation_rules->disallow_expression.key.line, 5);
  EXPECT_EQ(*config.grpc_service->cluster_name, "c");
  EXPECT_EQ(config.grpc_service->cluster_name.place.line, 6);
}

TEST(FilterReader, AllThatIsWrongIsTold) {
  const Read read(
      "message_timeot: 1s\n"
      "max_message_timeout: 200ms\n"
      "deferred_close_timeout: -1s\n"
      "failure_mode_allow: 1\n"
      "processing_mode: { request_body_mode: BUFERED, request_header_mode: 3 }\n"
      "allowed_override_modes: [ { request_body: NONE } ]\n"
      "metadata_options: text\n"
      "disable_clear_route_cache: true\n"
      "route_cache_action: CLEAR\n"
      "status_on_error: { code: Fine }\n");
  std::vector<std::pair<int, std::string>> found;
  for (const Problem& problem : read.problems) found.emplace_back(problem.place.line, problem.rule);
  EXPECT_THAT(found, ::testing::UnorderedElementsAre(
                         std::pair(1, "unknown-field"), std::pair(2, "not-a-duration"),
                         std::pair(3, "not-a-duration"), std::pair(4, "unknown-value"),
                         std::pair(5, "unknown-value"), std::pair(5, "unknown-value"),
                         std::pair(6, "unknown-field"), std::pair(7, "unknown-value"),
                         std::pair(8, "route-cache-twice"), std::pair(10, "unknown-value")));
  for (const Problem& problem : read.problems) {
    EXPECT_THAT(problem.what, HasSubstr("Envoy refuses")) << problem.what;
    EXPECT_FALSE(problem.mend.empty()) << problem.what;
  }
  EXPECT_EQ(mend_of(read, 1), "the nearest is message_timeout");
}

// As Envoy's own reader takes them.
TEST(FilterReader, WhatYamlTakesForTrueIsTrue) {
  for (const char* value : {"true", "yes", "on", "\"true\""}) {
    const Read read(std::string("observability_mode: ") + value);
    EXPECT_THAT(read.problems, IsEmpty()) << value;
    EXPECT_TRUE(read.config.observability_mode) << value;
  }
  EXPECT_THAT(*Read("request_attributes: request.path").config.request_attributes,
              ElementsAre("request.path"));
  EXPECT_EQ(*Read("message_timeout: { seconds: 1, nanos: 5 }").config.message_timeout, 1s + 5ns);
}

TEST(FilterReader, ARoute) {
  std::vector<Problem> problems;
  const auto read = [&](const char* yaml) { return read_route_config(YAML::Load(yaml), problems); };
  EXPECT_TRUE(read("disabled: true").disabled);
  const RouteConfig config =
      read("overrides: { processing_mode: { request_header_mode: SKIP }, grpc_service: {} }");
  EXPECT_FALSE(config.processing_mode->sends(Phase::request_headers));
  EXPECT_TRUE(config.grpc_service.is_stated());
  EXPECT_THAT(problems, IsEmpty());
  read("overrides: { failure_mode_allowed: true }");
  EXPECT_THAT(problems, SizeIs(1));
}

}  // namespace
}  // namespace extproc::envoy_config
