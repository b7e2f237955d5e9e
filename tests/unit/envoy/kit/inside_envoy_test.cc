#include "extproc/testing/inside_envoy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "envoy/kit/one_handler.h"
#include "extproc/async.h"
#include "extproc/chain.h"
#include "extproc/extproc.h"

namespace extproc::testing {
namespace {

using namespace std::chrono_literals;

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

class Shouts : public Processor {
 public:
  void process_request_headers(const HttpHeaders& headers, Context& context, Request&,
                               HeadersResponse& response) override {
    response.set_header("x-seen", "request");
    if (const auto path = headers.value(":path"); path == "/denied")
      response.respond({.status = 403, .headers = {{"x-why", "no"}}, .body = "denied"});
    if (const auto team = context.filter_metadata("team"))
      response.set_dynamic_metadata("seen", Struct().set("team", *team->find("name")->string()));
  }
  void process_request_body(const HttpBody& body, Context&, Request&,
                            BodyResponse& response) override {
    response.replace_body(std::string(body.bytes()) + "!");
  }
  void process_response_headers(const HttpHeaders&, Context&, Request&,
                                HeadersResponse& response) override {
    response.set_header("x-seen", "response");
  }
};

class Waits : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse& response) override {
    boost::asio::steady_timer timer(executor(context), 5ms);
    co_await timer.async_wait(boost::asio::deferred);
    response.set_header("x-waited", "1");
  }
  Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
    while (const auto chunk = co_await body.read()) body.write(std::string(chunk->bytes()) + ".");
  }
};

class Blocks : public Processor {
 public:
  bool blocking() const override { return true; }
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& response) override {
    std::this_thread::sleep_for(2ms);
    response.set_header("x-blocked", "1");
  }
};

class Streams : public AsyncProcessor {
 public:
  Task<> stream_request_body(BodyStream&, Context&, Request&) override { co_return; }
  Needs needs() const override { return {.request_body_mode = BodySendMode::full_duplex_streamed}; }
};

const Exchange kPost{.request = {.headers = {{":method", "POST"}}, .body = {"a", "b"}},
                     .upstream = {.headers = {{":status", "201"}}, .body = {"done"}}};

TEST(InsideEnvoy, TellsWhatUpstreamAndCallerGot) {
  Shouts processor;
  const InsideEnvoy envoy("processing_mode: {request_body_mode: BUFFERED}");
  const auto result = envoy.run(processor, kPost);
  EXPECT_TRUE(result.upstream.complete);
  EXPECT_EQ(result.upstream.body, "ab!");
  EXPECT_THAT(result.upstream.headers, Contains(Pair("x-seen", "request")));
  EXPECT_EQ(result.caller.status, 201);
  EXPECT_EQ(result.caller.body, "done");
  EXPECT_TRUE(result.caller.complete);
  EXPECT_THAT(result.caller.headers, Contains(Pair("x-seen", "response")));
  EXPECT_THAT(result.caller.headers, Contains(Pair("x-ext-procs-applied", "Shouts")));
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_EQ(result.statistic("streams_started"), 1U);
  EXPECT_EQ(result.statistic("messages"), 3U);
}

TEST(InsideEnvoy, HandlersThatWaitAreWaitedFor) {
  Waits waits;
  const auto streamed = InsideEnvoy("").run(waits, kPost);
  EXPECT_THAT(streamed.upstream.headers, Contains(Pair("x-waited", "1")));
  EXPECT_EQ(streamed.upstream.body, "a.b.");
  EXPECT_EQ(streamed.caller.status, 201);

  Blocks blocks;
  const auto blocked = InsideEnvoy("").run(blocks, kPost);
  EXPECT_THAT(blocked.upstream.headers, Contains(Pair("x-blocked", "1")));
  EXPECT_EQ(blocked.upstream.body, "ab");
}

TEST(InsideEnvoy, ARequestThatStaysOpenIsNotWaitedFor) {
  Shouts processor;
  const auto before = std::chrono::steady_clock::now();
  const auto result = InsideEnvoy("processing_mode: {request_body_mode: BUFFERED}")
                          .run(processor, {.request = {.body = {"a"}, .stays_open = true}});
  EXPECT_FALSE(result.upstream.reached);
  EXPECT_FALSE(result.caller.complete || result.caller.reset);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
}

TEST(InsideEnvoy, WhatComesLaterCostsNoTime) {
  Waits processor;
  const auto result =
      InsideEnvoy("").run(processor, {.request = {.body = {"a", "b"}, .after = {0s, 1h, 1h}}});
  EXPECT_EQ(result.upstream.body, "a.b.");
}

TEST(InsideEnvoy, AReplyIsTheCallers) {
  Shouts processor;
  const InsideEnvoy envoy("");
  const auto result = envoy.run(processor, {.request = {.headers = {{":path", "/denied"}}}});
  EXPECT_FALSE(result.upstream.reached);
  EXPECT_EQ(result.caller.status, 403);
  EXPECT_EQ(result.caller.body, "denied");
  EXPECT_THAT(result.caller.headers, Contains(Pair("x-why", "no")));
  EXPECT_THAT(result.caller.headers, Contains(Pair("content-type", "text/plain")));
  // What is made here does not pass the handlers.
  EXPECT_THAT(result.caller.headers, Not(Contains(Key("x-seen"))));

  const auto grpc = envoy.run(
      processor,
      {.request = {.headers = {{":path", "/denied"}, {"content-type", "application/grpc"}}}});
  EXPECT_EQ(grpc.caller.status, 200);
  EXPECT_THAT(grpc.caller.headers, Contains(Pair("grpc-status", "7")));
}

TEST(InsideEnvoy, AFailureIsTheCallers) {
  const auto fails = one<Phase::request_headers>(
      [](auto&, auto&, auto&, auto&) { throw std::runtime_error("broken"); });
  const auto closed = InsideEnvoy("status_on_error: {code: 502}").run(fails, {});
  EXPECT_EQ(closed.caller.status, 502);
  EXPECT_FALSE(closed.upstream.reached);
  EXPECT_EQ(closed.response_code_details, "extproc_error_UNKNOWN");
  EXPECT_THAT(closed.log, Contains(HasSubstr("broken")));
  EXPECT_EQ(closed.statistic("handler_failures"), 1U);

  const auto open = InsideEnvoy("failure_mode_allow: true").run(fails, {});
  EXPECT_EQ(open.caller.status, 200);
}

TEST(InsideEnvoy, MoreThanEnvoyBuffersIsRefused) {
  Shouts processor;
  const InsideEnvoy envoy(
      "processing_mode: {request_body_mode: BUFFERED, response_body_mode: BUFFERED}",
      {.buffer_limit_bytes = 8});
  const auto request = envoy.run(processor, {.request = {.body = {"0123456789"}}});
  EXPECT_EQ(request.caller.status, 413);
  EXPECT_EQ(request.response_code_details, "request_payload_too_large");
}

TEST(InsideEnvoy, SomeAnswersHaveNoMeans) {
  const auto sets = one<Phase::request_headers>([](auto&, auto&, auto&, auto& response) {
    response.set_header("x-there", "");
    response.set_header("host", "other");
  });
  const auto result = InsideEnvoy("").run(sets, {.request = {.headers = {{"x-there", "1"}}}});
  EXPECT_THAT(result.upstream.headers, Not(Contains(Key("x-there"))));
  EXPECT_THAT(result.upstream.headers, Contains(Pair(":authority", "localhost")));
  ASSERT_EQ(result.violations.size(), 2U);
  EXPECT_EQ(result.violations[0].rule, Rule::header_empty);
  EXPECT_EQ(result.violations[1].rule, Rule::header_denied);
  EXPECT_EQ(result.violations[1].field, "host");

  const auto trailers = one<Phase::request_trailers>(
      [](auto&, auto&, auto&, auto& response) { response.set_header("x-end", "1"); });
  const InsideEnvoy envoy("processing_mode: {request_trailer_mode: SEND}");
  EXPECT_EQ(envoy.run(trailers, kPost).upstream.trailers, std::nullopt);
  const auto came = envoy.run(trailers, {.request = {.trailers = HeaderList{{"x-t", "1"}}}});
  EXPECT_THAT(*came.upstream.trailers, Contains(Pair("x-end", "1")));
}

TEST(InsideEnvoy, MetadataAttributesAndTheCallerAreTold) {
  Shouts processor;
  const InsideEnvoy envoy("metadata_options: {forwarding_namespaces: {untyped: [team]}}");
  const auto result = envoy.run(processor, {.dynamic_metadata = {{"team", {{"name", "edge"}}}}});
  ASSERT_THAT(result.dynamic_metadata, ElementsAre(Key("seen")));
  EXPECT_EQ(result.dynamic_metadata.at("seen").view().find("team")->string(), "edge");

  const auto tells = one<Phase::request_headers>([](auto&, auto& context, auto&, auto& response) {
    response.set_header("x-peer", context.peer());
    const auto path = context.attribute("request.path");
    response.set_header("x-path", path ? *path->string() : "");
    response.clear_route_cache();
  });
  const auto told = InsideEnvoy("request_attributes: [request.path]", {.peer = "192.0.2.1:1"})
                        .run(tells, {.request = {.headers = {{":path", "/a?b"}}}});
  EXPECT_THAT(told.upstream.headers, Contains(Pair("x-path", "/a?b")));
  EXPECT_TRUE(told.route_cache_cleared);
}

TEST(InsideEnvoy, ARouteTurnsTheFilterOffOrHasAnother) {
  Shouts processor;
  const InsideEnvoy envoy("processing_mode: {request_body_mode: BUFFERED}");
  Exchange exchange = kPost;
  exchange.per_route = {"processing_mode: {request_body_mode: NONE}"};
  const auto other = envoy.run(processor, exchange);
  EXPECT_EQ(other.upstream.body, "ab");
  EXPECT_THAT(other.upstream.headers, Contains(Pair("x-seen", "request")));

  exchange.per_route.push_back("disabled: true");
  EXPECT_THAT(envoy.run(processor, exchange).upstream.headers, Not(Contains(Key("x-seen"))));

  exchange.per_route = {"{disabled: true, x: 1}"};
  EXPECT_THROW(envoy.run(processor, exchange), EnvoyConfigError);
}

TEST(InsideEnvoy, WhoOnlyLooksOnHasReturned) {
  int looked = 0;
  Handlers handlers("Looks");
  handlers.process<Phase::request_headers>([&](auto&, auto&, auto&, auto& response) {
    response.set_header("x-seen", "1");
    ++looked;
  });
  const auto result = InsideEnvoy("observability_mode: true").run(handlers, kPost);
  EXPECT_EQ(looked, 1);
  EXPECT_THAT(result.upstream.headers, Not(Contains(Key("x-seen"))));
}

TEST(InsideEnvoy, AChainRunsAsOne) {
  Shouts shouts;
  auto marks = one<Phase::request_body>([](auto& body, auto&, auto&, auto& response) {
    response.replace_body(std::string(body.bytes()) + "?");
  });
  Chain chain({shouts, marks});
  const auto result =
      InsideEnvoy("processing_mode: {request_body_mode: BUFFERED}").run(chain, kPost);
  EXPECT_EQ(result.upstream.body, "ab!?");
}

TEST(InsideEnvoy, SeveralThreadsPlayAtOnce) {
  const InsideEnvoy envoy("");
  std::vector<std::thread> threads;
  std::vector<EnvoyResult> results(4);
  Waits processor;
  threads.reserve(results.size());
  for (auto& result : results) threads.emplace_back([&] { result = envoy.run(processor, kPost); });
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result.upstream.body, "a.b.");
}

std::string refusal(const std::string& config) {
  try {
    const InsideEnvoy envoy(config);
  } catch (const EnvoyConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(InsideEnvoy, WhatTheFilterRefusesIsThrown) {
  EXPECT_THAT(refusal("failure_mode_allow: true\nmessage_timeout: 1s"),
              HasSubstr("message_timeout is for ext_proc"));
  EXPECT_THAT(refusal("processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED}"),
              HasSubstr("use STREAMED"));
  EXPECT_THAT(refusal("a: [1"), HasSubstr("line"));
  EXPECT_THAT(refusal("[a, b]"), HasSubstr("must be a mapping"));

  Streams needs;
  EXPECT_THROW(InsideEnvoy("").run(needs, {}), EnvoyConfigError);
  Shouts processor;
  EXPECT_THROW(InsideEnvoy("\nfailure_mode_alow: true").run(processor, {}), EnvoyConfigError);
}

TEST(InsideEnvoy, TheEntryOfAConfigurationIsTaken) {
  const InsideEnvoy envoy(R"(
    - name: inside
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter
        dynamic_module_config: {name: extproc_envoy}
        filter_name: other.Processor
        filter_config:
          "@type": type.googleapis.com/google.protobuf.Struct
          value:
            processors: [{name: another.Processor, settings: {key: 1}}]
            processing_mode: {request_body_mode: BUFFERED}
            applied_header: x-who
  )");
  Shouts processor;
  const auto result = envoy.run(processor, kPost);
  EXPECT_EQ(result.upstream.body, "ab!");
  EXPECT_THAT(result.caller.headers, Contains(Pair("x-who", "Shouts")));
}

}  // namespace
}  // namespace extproc::testing
