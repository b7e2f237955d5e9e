// No body where HTTP has none: every way to make or keep one, in every body mode.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "envoy/modes.h"
#include "extproc/async.h"
#include "extproc/chain.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"
#include "one_handler.h"

namespace extproc {
namespace {

using testing::EnvoyResult;

/// Why there is no body.
struct Cause {
  const char* name;
  const char* method;
  int status;
};

constexpr Cause kCauses[] = {
    {"HEAD", "HEAD", 200}, {"204", "GET", 204}, {"304", "GET", 304}, {"none", "GET", 200}};

bool has_none(const Cause& cause) { return std::string_view(cause.name) != "none"; }

std::string filter(BodySendMode mode) {
  const std::string name(to_string(mode));
  const char* trailers =
      mode == BodySendMode::full_duplex_streamed ? ", response_trailer_mode: SEND" : "";
  return "processing_mode: {response_body_mode: " + name + trailers + "}";
}

/// `body`: what stands behind the head of the upstream, whose status is `status`.
EnvoyResult play(const Service& service, const Cause& cause, int status, BodySendMode mode,
                 std::vector<std::string> body = {""}) {
  return testing::Envoy(filter(mode))
      .run(service, {.request = {.headers = {{":method", cause.method}}},
                     .upstream = {.headers = {{":status", std::to_string(status)}},
                                  .body = std::move(body)}});
}

void expect_no_body(const EnvoyResult& result, const Cause& cause) {
  EXPECT_TRUE(result.refusals.empty()) << result.refusals[0].text;
  EXPECT_TRUE(result.caller.complete);
  if (!has_none(cause)) {
    EXPECT_NE(result.caller.body, "");
    EXPECT_TRUE(result.violations.empty());
    return;
  }
  EXPECT_EQ(result.caller.body, "");
  ASSERT_FALSE(result.violations.empty());
  for (const auto& violation : result.violations) EXPECT_EQ(violation.rule, Rule::body_not_allowed);
}

template <class Test>
void for_each_cause(Test test) {
  for (const Cause& cause : kCauses) {
    for (const BodySendMode mode : envoy_config::kBodyModes) {
      SCOPED_TRACE(std::string(cause.name) + " " + std::string(to_string(mode)));
      test(cause, mode);
    }
  }
}

TEST(NoContent, OfAReplacement) {
  const auto service = one<Phase::response_headers>(
      [](auto&, auto&, auto&, HeadersResponse& r) { r.continue_and_replace("x"); });
  for_each_cause([&](const Cause& cause, BodySendMode mode) {
    expect_no_body(play(service, cause, cause.status, mode), cause);
    // All head.
    expect_no_body(play(service, cause, cause.status, mode, {}), cause);
  });
}

TEST(NoContent, OfABodyHandler) {
  const auto service =
      one<Phase::response_body>([](auto&, auto&, auto&, BodyResponse& r) { r.replace_body("x"); });
  for_each_cause([&](const Cause& cause, BodySendMode mode) {
    if (mode == BodySendMode::none) return;
    expect_no_body(play(service, cause, cause.status, mode), cause);
  });
}

TEST(NoContent, OfAHandlerOverTheWholeBody) {
  const auto service =
      one<Phase::response_body>([](BodyStream& body, Context&, Request&) -> Task<> {
        for (auto chunk = co_await body.read(); chunk; chunk = co_await body.read()) {
          body.write("x");
        }
        body.write("x");
      });
  for_each_cause([&](const Cause& cause, BodySendMode mode) {
    if (mode == BodySendMode::none) return;
    expect_no_body(play(service, cause, cause.status, mode), cause);
  });
}

TEST(NoContent, OfAStatusThatTheAnswerToHeadersSets) {
  for_each_cause([](const Cause& cause, BodySendMode mode) {
    if (cause.status == 200) return;
    const auto status = std::to_string(cause.status);
    const auto service = one<Phase::response_headers>(
        [&](auto&, auto&, auto&, HeadersResponse& r) { r.set_header(":status", status); });
    const auto result = play(service, cause, 200, mode, {"a", "b"});
    EXPECT_EQ(result.caller.status, cause.status);
    expect_no_body(result, cause);
  });
}

TEST(NoContent, OfAStatusThatTheAnswerToABodySets) {
  for_each_cause([](const Cause& cause, BodySendMode mode) {
    if (mode != BodySendMode::buffered && mode != BodySendMode::buffered_partial) return;
    if (cause.status == 200) return;
    const auto status = std::to_string(cause.status);
    const auto service = one<Phase::response_body>(
        [&](auto&, auto&, auto&, BodyResponse& r) { r.set_header(":status", status); });
    const auto result = play(service, cause, 200, mode, {"a", "b"});
    EXPECT_EQ(result.caller.status, cause.status);
    expect_no_body(result, cause);
  });
}

TEST(NoContent, OfARequestThatWasOneToHead) {
  const auto service = one<Phase::request_headers>(
      [](auto&, auto&, auto&, HeadersResponse& r) { r.set_header(":method", "GET"); });
  const testing::Envoy envoy("mutation_rules: {allow_all_routing: true}");
  const auto result = envoy.run(
      service, {.request = {.headers = {{":method", "HEAD"}}}, .upstream = {.body = {"body"}}});
  EXPECT_EQ(result.caller.body, "");
  ASSERT_EQ(result.violations.size(), 1U);
  EXPECT_EQ(result.violations[0].rule, Rule::body_not_allowed);
}

TEST(NoContent, OfAnImmediateResponse) {
  for (const Cause& cause : kCauses) {
    SCOPED_TRACE(cause.name);
    const auto service = one<Phase::request_headers>([&](auto&, auto&, auto&, HeadersResponse& r) {
      r.respond(form_immediate_response(cause.status, {}, "x"));
    });
    const auto result = play(service, cause, 200, BodySendMode::none);
    EXPECT_EQ(result.caller.body, has_none(cause) ? "" : "x");
    // Envoy itself sends none to HEAD, and says how long it would be.
    const bool told = has_none(cause) && cause.status != 200;
    EXPECT_EQ(result.violations.size(), told ? 1U : 0U);
    EXPECT_EQ(result.caller_header("content-length") != nullptr, !told);
  }
}

TEST(NoContent, OfAResponseWrittenPieceByPiece) {
  for (const Cause& cause : kCauses) {
    SCOPED_TRACE(cause.name);
    const auto service = one<Phase::request_headers>([&](auto&, auto&, auto&, HeadersResponse& r) {
      auto& out = r.respond_streaming(cause.status, {{"x-a", "1"}});
      out.write("x");
      out.finish();
    });
    const auto result = play(service, cause, 200, BodySendMode::none);
    EXPECT_NE(result.caller_header("x-a"), nullptr);
    expect_no_body(result, cause);
  }
}

TEST(NoContent, OfAChain) {
  const auto named = [](const char* name, auto handler) {
    auto handlers = std::make_shared<Handlers>(name);
    handlers->process<Phase::response_headers>(handler);
    return Service(handlers);
  };
  const auto replace = [](auto&, auto&, auto&, HeadersResponse& r) { r.continue_and_replace("x"); };
  for_each_cause([&](const Cause& cause, BodySendMode mode) {
    const auto status = [&cause](auto&, auto&, auto&, HeadersResponse& r) {
      r.set_header(":status", std::to_string(cause.status));
    };
    // The response comes to the last of them first.
    std::vector<Service> status_last;
    status_last.push_back(named("Status", status));
    status_last.push_back(named("Replace", replace));
    expect_no_body(play(Service(std::make_shared<Chain>(std::move(status_last))), cause, 200, mode,
                        {"a", "b"}),
                   cause);
    std::vector<Service> status_first;
    status_first.push_back(named("Replace", replace));
    status_first.push_back(named("Status", status));
    expect_no_body(play(Service(std::make_shared<Chain>(std::move(status_first))), cause, 200, mode,
                        {"a", "b"}),
                   cause);
  });
}

TEST(NoContent, OfAChainWhoseFirstSetsTheStatusWithTheBody) {
  const auto named = [](const char* name, auto handler) {
    auto handlers = std::make_shared<Handlers>(name);
    handlers->process<Phase::response_body>(handler);
    return Service(handlers);
  };
  const auto replace = [](auto&, auto&, auto&, BodyResponse& r) { r.replace_body("x"); };
  for_each_cause([&](const Cause& cause, BodySendMode mode) {
    if (mode != BodySendMode::buffered && mode != BodySendMode::buffered_partial) return;
    if (cause.status == 200) return;
    const auto status = [&cause](auto&, auto&, auto&, BodyResponse& r) {
      r.set_header(":status", std::to_string(cause.status));
    };
    for (const bool first : {false, true}) {
      for (const bool told : {false, true}) {
        SCOPED_TRACE(std::string(first ? "first" : "last") + (told ? " told" : ""));
        // The response comes to the last of them first.
        std::vector<Service> services;
        services.push_back(first ? named("Replace", replace) : named("Status", status));
        services.push_back(first ? named("Status", status) : named("Replace", replace));
        testing::HeaderList headers = {{":status", "200"}};
        if (told) headers.emplace_back("content-length", "4");
        const auto result = testing::Envoy(filter(mode))
                                .run(Service(std::make_shared<Chain>(std::move(services))),
                                     {.upstream = {.headers = headers, .body = {"bo", "dy"}}});
        EXPECT_EQ(result.caller.status, cause.status);
        expect_no_body(result, cause);
      }
    }
  });
}

// Envoy leaves the status as it is there, and so the body stays.
TEST(NoContent, IsNotOfAStatusThatCountsForNothing) {
  const auto service = one<Phase::response_body>(
      [](auto&, auto&, auto&, BodyResponse& r) { r.set_header(":status", "304"); });
  for (const char* mode : {"BUFFERED", "BUFFERED_PARTIAL"}) {
    const testing::Envoy envoy(
        "processing_mode: {response_header_mode: SKIP, response_body_mode: " + std::string(mode) +
        "}");
    const auto result = envoy.run(service, {.upstream = {.body = {"bo", "dy"}}});
    EXPECT_EQ(result.caller.status, 200);
    EXPECT_EQ(result.caller.body, "body");
    EXPECT_TRUE(result.violations.empty());
  }
}

// Of a body in BUFFERED_PARTIAL the rest passes, whatever its status.
TEST(NoContent, IsNotOfAStatusBeforeTheRestOfABody) {
  const auto service = one<Phase::response_body>(
      [](auto&, auto&, auto&, BodyResponse& r) { r.set_header(":status", "304"); });
  const testing::Envoy envoy("processing_mode: {response_body_mode: BUFFERED_PARTIAL}",
                             {.buffer_limit_bytes = 4});
  const auto result = envoy.run(service, {.upstream = {.body = {"more", " than", " that"}}});
  EXPECT_EQ(result.caller.status, 200);
  EXPECT_EQ(result.caller.body, "more than that");
  ASSERT_EQ(result.violations.size(), 1U);
  EXPECT_EQ(result.violations[0].rule, Rule::body_not_allowed);
}

// Where the request's headers are not sent: what the filter tells of them, or what only a response
// to HEAD looks like.
TEST(NoContent, OfAResponseToHeadWhoseRequestWasNotSeen) {
  const auto replace = one<Phase::response_headers>(
      [](auto&, auto&, auto&, HeadersResponse& r) { r.continue_and_replace("x"); });
  const auto replaced = [&](const char* method, const char* more, testing::HeaderList headers) {
    const testing::Envoy envoy("{processing_mode: {request_header_mode: SKIP}" + std::string(more) +
                               "}");
    headers.insert(headers.begin(), {":status", "200"});
    return envoy.run(
        replace, {.request = {.headers = {{":method", method}}}, .upstream = {.headers = headers}});
  };
  const char* attribute = ", response_attributes: [request.method]";
  const auto expect = [](const EnvoyResult& result, bool left_out) {
    EXPECT_EQ(result.caller.body, left_out ? "" : "x");
    EXPECT_EQ(result.violations.size(), left_out ? 1U : 0U);
  };
  expect(replaced("HEAD", attribute, {}), true);
  expect(replaced("HEAD", "", {{"content-length", "8"}}), true);
  expect(replaced("GET", attribute, {}), false);
  expect(replaced("GET", "", {}), false);
  expect(replaced("GET", "", {{"content-length", "0"}}), false);
}

TEST(NoContent, OfABodyHandlerThatSawNoHeaders) {
  auto handlers = std::make_shared<Handlers>("P");
  handlers->process<Phase::request_headers>([](auto&, auto&, auto&, auto&) {});
  handlers->process<Phase::response_body>(
      [](auto&, auto&, auto&, BodyResponse& r) { r.replace_body("x"); });
  for (const char* mode : {"BUFFERED", "STREAMED"}) {
    const testing::Envoy envoy(
        "processing_mode: {response_header_mode: SKIP, response_body_mode: " + std::string(mode) +
        "}");
    const auto result = envoy.run(Service(handlers), {.request = {.headers = {{":method", "HEAD"}}},
                                                      .upstream = {.body = {""}}});
    EXPECT_EQ(result.caller.body, "");
    ASSERT_EQ(result.violations.size(), 1U);
    EXPECT_EQ(result.violations[0].rule, Rule::body_not_allowed);
  }
}

TEST(NoContent, IsAMatterOfBodiesAlone) {
  // What follows 101 is another protocol.
  const auto service = one<Phase::response_headers>(
      [](auto&, auto&, auto&, HeadersResponse& r) { r.continue_and_replace("x"); });
  const auto result = testing::Envoy("").run(
      service,
      {.request = {.headers = {{":method", "GET"}, {"connection", "upgrade"}, {"upgrade", "x"}},
                   .stays_open = true},
       .upstream = {.headers = {{":status", "101"}, {"connection", "upgrade"}, {"upgrade", "x"}},
                    .body = {"other"}},
       .upstream_answers_early = true});
  EXPECT_EQ(result.caller.body, "other");
  ASSERT_EQ(result.violations.size(), 1U);
  EXPECT_EQ(result.violations[0].rule, Rule::body_not_allowed);
}

}  // namespace
}  // namespace extproc
