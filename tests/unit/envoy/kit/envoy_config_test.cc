#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string error_of(const std::string& yaml) {
  try {
    const Envoy envoy(yaml);
  } catch (const EnvoyConfigError& error) {
    return error.what();
  }
  return "";
}

struct Wrong {
  const char* yaml;
  const char* line;
  const char* problem;
};

TEST(EnvoyConfig, ErrorsNameTheLineAndTheField) {
  const Wrong kWrong[] = {
      {"failure_mode_allow: true\nmessage_timeot: 1s", "line 2",
       "no field message_timeot: Envoy refuses the configuration; the nearest is message_timeout"},
      {"processing_mode:\n  request_body_mode: BUFFER", "line 2",
       "request_body_mode cannot be BUFFER: Envoy refuses the configuration; the nearest is "
       "BUFFERED"},
      {"processing_mode:\n  request_body: BUFFERED", "line 2", "no field request_body: "},
      {"failure_mode_allow: maybe", "line 1", "failure_mode_allow must be true or false"},
      {"message_timeout: 200ms", "line 1",
       "message_timeout is no duration: Envoy refuses the configuration"},
      {"message_timeout: 5", "line 1",
       "message_timeout is no duration: Envoy refuses the configuration"},
      {"processing_mode:\n  request_body_mode: FULL_DUPLEX_STREAMED", "line 2",
       "the filter sends request_body as FULL_DUPLEX_STREAMED without request_trailers"},
      {"disable_clear_route_cache: true\nroute_cache_action: CLEAR", "line 1",
       "excludes route_cache_action"},
      {"mutation_rules:\n  allow_expression: {regex: '('}", "line 2", "not a regular expression"},
      {"request_attributes: [request.path, tenant]", "line 1", "unknown tenant"},
      {"grpc_service:\n  timeout: soon", "line 2", "timeout is no duration"},
      {"http_service: {}", "line 1", "http_service is not supported"},
      {"status_on_error: {code: Fine}", "line 1", "code is not a status code"},
      {"\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router", "line 1",
       "@type must be"},
      {"processing_mode: [", "line 1", ""},
      {"- a\n- b", "line 1", "must be a mapping"},
  };
  for (const auto& wrong : kWrong) {
    EXPECT_THAT(error_of(wrong.yaml), AllOf(HasSubstr(wrong.line), HasSubstr(wrong.problem)))
        << wrong.yaml;
  }
}

// The same filter in every form that a configuration file may have it in.
TEST(EnvoyConfig, TakesTheMessageTheTypedConfigAndTheFilter) {
  const std::string type =
      "\"@type\": type.googleapis.com/"
      "envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor";
  const std::string kForms[] = {
      "processing_mode: {request_header_mode: SKIP, response_header_mode: SKIP}",
      type + "\nprocessing_mode: {request_header_mode: SKIP, response_header_mode: SKIP}",
      "name: ext_proc\ntyped_config:\n  " + type +
          "\n  processing_mode: {request_header_mode: SKIP, response_header_mode: SKIP}",
      "- name: ext_proc\n  typed_config:\n    " + type +
          "\n    processing_mode: {request_header_mode: SKIP, response_header_mode: SKIP}",
      R"({"processingMode": {"requestHeaderMode": "SKIP", "responseHeaderMode": 2}})",
  };
  BaseExtProcService processor;
  for (const auto& form : kForms) {
    const auto result = Envoy(form).run(processor, {});
    EXPECT_EQ(result.statistic("streams_started"), 0U) << form;
    EXPECT_EQ(result.caller.status, 200) << form;
  }
  EXPECT_EQ(Envoy("").run(processor, {}).statistic("stream_msgs_sent"), 2U);
}

}  // namespace
}  // namespace extproc::testing
