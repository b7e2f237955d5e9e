// A content-length that does not fit never leaves.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "envoy/modes.h"
#include "extproc/async.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"

namespace extproc {
namespace {

using testing::EnvoyResult;

constexpr bool kAnswered[] = {false, true};

enum class Style { message, whole };

/// Both bodies one byte longer, or as they are.
Service processor(Style style, bool longer) {
  auto handlers = std::make_shared<Handlers>("P");
  const auto message = [longer](const HttpBody& body, auto&, auto&, BodyResponse& r) {
    r.replace_body(std::string(body.bytes()) + (longer && body.end_of_stream() ? "!" : ""));
  };
  const auto whole = [longer](BodyStream& body, Context&, Request&) -> Task<> {
    std::string all;
    for (auto chunk = co_await body.read(); chunk; chunk = co_await body.read()) {
      all += chunk->bytes();
    }
    body.write(all + (longer ? "!" : ""));
  };
  if (style == Style::message) {
    handlers->process<Phase::request_body>(message);
    handlers->process<Phase::response_body>(message);
  } else {
    handlers->process<Phase::request_body>(whole);
    handlers->process<Phase::response_body>(whole);
  }
  return Service(handlers);
}

EnvoyResult play(BodySendMode mode, bool allowed, bool headers, Style style, bool longer) {
  const std::string name(to_string(mode));
  const char* trailers = mode == BodySendMode::full_duplex_streamed
                             ? ", request_trailer_mode: SEND, response_trailer_mode: SEND"
                             : "";
  const char* skipped = headers ? "" : ", request_header_mode: SKIP, response_header_mode: SKIP";
  const testing::Envoy envoy(
      "{allow_content_length_header: " + std::string(allowed ? "true" : "false") +
      ", processing_mode: {request_body_mode: " + name + ", response_body_mode: " + name +
      trailers + skipped + "}}");
  return envoy.run(
      processor(style, longer),
      {.request = {.headers = {{":method", "POST"}, {"content-length", "4"}}, .body = {"he", "ad"}},
       .upstream = {.headers = {{":status", "200"}, {"content-length", "4"}},
                    .body = {"he", "ad"}}});
}

void expect_fitting(const std::string* length, const std::string& body) {
  if (length != nullptr) {
    EXPECT_EQ(*length, std::to_string(body.size()));
  }
}

TEST(KeptLength, NeverLeavesWhereItDoesNotFit) {
  for (const BodySendMode mode : envoy_config::kBodyModes) {
    if (mode == BodySendMode::none) continue;
    for (const bool allowed : kAnswered) {
      for (const bool headers : kAnswered) {
        for (const Style style : {Style::message, Style::whole}) {
          for (const bool longer : kAnswered) {
            SCOPED_TRACE(std::string(to_string(mode)) + (allowed ? " allowed" : "") +
                         (headers ? " headers" : "") + (style == Style::whole ? " whole" : "") +
                         (longer ? " longer" : ""));
            const auto result = play(mode, allowed, headers, style, longer);
            const bool fails = allowed && !headers && longer;
            EXPECT_EQ(result.caller.status, fails ? 500 : 200);
            if (fails) {
              // Nothing was let go on that is more than content-length says.
              EXPECT_FALSE(result.upstream.complete);
              EXPECT_LE(result.upstream.body.size(), 4U);
              ASSERT_FALSE(result.violations.empty());
              EXPECT_EQ(result.violations[0].rule, Rule::content_length);
              continue;
            }
            EXPECT_TRUE(result.violations.empty());
            EXPECT_TRUE(result.refusals.empty()) << result.refusals[0].text;
            EXPECT_EQ(result.upstream.body, longer ? "head!" : "head");
            EXPECT_EQ(result.caller.body, longer ? "head!" : "head");
            expect_fitting(result.upstream_header("content-length"), result.upstream.body);
            expect_fitting(result.caller_header("content-length"), result.caller.body);
          }
        }
      }
    }
  }
}

TEST(KeptLength, IsNotSetByHandWhereABodyMayChange) {
  for (const BodySendMode mode : {BodySendMode::streamed, BodySendMode::buffered_partial}) {
    auto handlers = std::make_shared<Handlers>("P");
    handlers->process<Phase::response_headers>(
        [](auto&, auto&, auto&, HeadersResponse& r) { r.set_header("content-length", "9"); });
    handlers->process<Phase::response_body>([](auto&, auto&, auto&, auto&) {});
    const testing::Envoy envoy(
        "{allow_content_length_header: true, processing_mode: "
        "{response_body_mode: " +
        std::string(to_string(mode)) + "}}");
    const auto result = envoy.run(Service(handlers), {.upstream = {.body = {"body"}}});
    EXPECT_EQ(result.caller_header("content-length"), nullptr);
    EXPECT_EQ(result.caller.body, "body");
    ASSERT_EQ(result.violations.size(), 1U);
    EXPECT_EQ(result.violations[0].rule, Rule::content_length);
  }
}

// A processor that does not handle the body takes nothing away.
TEST(KeptLength, StaysWhereNobodyChangesTheBody) {
  auto handlers = std::make_shared<Handlers>("P");
  handlers->process<Phase::response_headers>([](auto&, auto&, auto&, auto&) {});
  const testing::Envoy envoy(
      "{allow_content_length_header: true, processing_mode: {response_body_mode: STREAMED}}");
  const auto result = envoy.run(
      Service(handlers),
      {.upstream = {.headers = {{":status", "200"}, {"content-length", "4"}}, .body = {"body"}}});
  ASSERT_NE(result.caller_header("content-length"), nullptr);
  EXPECT_EQ(*result.caller_header("content-length"), "4");
}

}  // namespace
}  // namespace extproc
