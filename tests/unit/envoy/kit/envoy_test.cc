#include "extproc/testing/envoy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>
#include <utility>

#include "extproc/async.h"
#include "extproc/extproc.h"

namespace extproc::testing {
namespace {

using namespace std::chrono_literals;

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// Registered functions; what each test is about is the one that it gives.
template <Phase phase, class Handler>
Handlers with(Handler handler) {
  Handlers handlers{"Tested"};
  handlers.template process<phase>(std::move(handler));
  return handlers;
}

TEST(Envoy, TellsWhatUpstreamAndCallerGot) {
  auto processor = with<Phase::request_body>([](auto& body, auto&, auto&, auto& response) {
    response.replace_body(std::string(body.body()) + "!");
    response.set_header("x-length", std::to_string(body.body().size()));
  });
  const Envoy envoy("processing_mode: {request_body_mode: BUFFERED}");
  const auto result = envoy.run(
      processor, {.request = {.headers = {{":method", "POST"}}, .body = {"chunk1", "chunk2"}},
                  .upstream = {.headers = {{":status", "201"}}, .body = {"done"}}});
  EXPECT_TRUE(result.upstream.complete);
  EXPECT_EQ(result.upstream.body, "chunk1chunk2!");
  ASSERT_NE(result.upstream_header("x-length"), nullptr);
  EXPECT_EQ(*result.upstream_header("x-length"), "12");
  EXPECT_EQ(result.caller.status, 201);
  EXPECT_EQ(result.caller.body, "done");
  EXPECT_TRUE(result.caller.complete);
  EXPECT_TRUE(result.refusals.empty());
  EXPECT_EQ(result.statistic("streams_started"), 1U);
}

TEST(Envoy, TellsWhatItRefused) {
  auto processor = with<Phase::request_headers>([](auto&, auto&, auto&, auto& response) {
    response.set_header("x-envoy-retry-on", "5xx");
    response.set_header("x-fine", "1");
  });
  const auto result = Envoy("").run(processor, {});
  ASSERT_EQ(result.refusals.size(), 1U);
  EXPECT_EQ(result.refusals[0].phase, Phase::request_headers);
  EXPECT_EQ(result.refusals[0].rule, "mutation_rules");
  EXPECT_EQ(result.refusals[0].field, "header_mutation.set_headers[0]");
  EXPECT_THAT(result.refusals[0].text, HasSubstr("x-envoy-retry-on"));
  EXPECT_THAT(result.upstream.headers, Contains(Pair("x-fine", "1")));
  EXPECT_EQ(result.statistic("rejected_header_mutations"), 1U);
}

TEST(Envoy, AnErrorOfTheProcessorIsTheCallers) {
  auto processor = with<Phase::request_headers>(
      [](auto&, auto&, auto&, auto&) { throw std::runtime_error("broken"); });
  const auto closed = Envoy("").run(processor, {});
  EXPECT_EQ(closed.caller.status, 500);
  EXPECT_FALSE(closed.upstream.reached);
  EXPECT_THAT(closed.response_code_details, HasSubstr("ext_proc_error_gRPC_error_2"));
  EXPECT_THAT(closed.log, Contains(HasSubstr("broken")));

  const auto open = Envoy("failure_mode_allow: true").run(processor, {});
  EXPECT_EQ(open.caller.status, 200);
  EXPECT_EQ(open.statistic("failure_mode_allowed"), 1U);
}

class Slow : public AsyncProcessor {
 public:
  explicit Slow(std::chrono::milliseconds time) : time_(time) {}
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse& response) override {
    boost::asio::steady_timer timer(executor(context), time_);
    co_await timer.async_wait(boost::asio::deferred);
    response.set_header("x-slow", "1");
  }

 private:
  std::chrono::milliseconds time_;
};

TEST(Envoy, WaitsForAHandlerThatWaits) {
  Slow processor(std::chrono::milliseconds(5));
  const auto result = Envoy("message_timeout: 60s").run(processor, {});
  EXPECT_NE(result.upstream_header("x-slow"), nullptr);
}

TEST(Envoy, TheMessageTimeoutRunsMeanwhile) {
  Slow processor(std::chrono::milliseconds(500));
  const auto result = Envoy("message_timeout: 0.01s").run(processor, {});
  EXPECT_EQ(result.caller.status, 504);
  EXPECT_EQ(result.statistic("message_timeouts"), 1U);
}

// What a real Envoy makes of it is in tests/envoy_cases/times.yaml.
TEST(Envoy, PiecesThatComeLaterCostNoWaiting) {
  BaseExtProcService processor;
  const Envoy envoy("{message_timeout: 0.2s, processing_mode: {response_body_mode: STREAMED}}");
  const auto start = std::chrono::steady_clock::now();
  const auto result =
      envoy.run(processor, {.request = {.body = {"a"}, .after = {0s, 1h}},
                            .upstream = {.body = {"b", "c"}, .after = {1h, 1h, 1h}}});
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
  EXPECT_EQ(result.caller.status, 200);
  EXPECT_EQ(result.caller.body, "bc");
  EXPECT_EQ(result.statistic("message_timeouts"), 0U);
}

// Only a handler that waits lets real time pass; what comes meanwhile does not wait for it.
TEST(Envoy, APieceComesWhileAHandlerWaits) {
  Slow processor(200ms);
  const Envoy envoy(
      "{message_timeout: 10s, send_body_without_waiting_for_header_response: true,"
      " processing_mode: {request_body_mode: STREAMED, response_header_mode: SKIP}}");
  const auto early = envoy.run(processor, {.request = {.body = {"a"}, .after = {0ms, 50ms}}});
  ASSERT_EQ(early.messages.size(), 4U);
  EXPECT_TRUE(early.messages[0].from_envoy && early.messages[1].from_envoy);
  const auto late = envoy.run(processor, {.request = {.body = {"a"}, .after = {0ms, 10s}}});
  ASSERT_EQ(late.messages.size(), 4U);
  EXPECT_FALSE(late.messages[1].from_envoy);
}

// What a real Envoy makes of it is in tests/envoy_cases/open.yaml.
TEST(Envoy, AnUpgradeStaysOpen) {
  BaseExtProcService processor;
  const Exchange exchange{
      .request = {.headers = {{"connection", "upgrade"}, {"upgrade", "websocket"}},
                  .body = {"ping"},
                  .after = {0s, 2s},
                  .stays_open = true},
      .upstream = {.headers = {{":status", "101"}, {"connection", "upgrade"}},
                   .body = {"hello", "pong"},
                   .after = {0s, 1s, 2s},
                   .stays_open = true},
      .upstream_answers_early = true};
  const auto result =
      Envoy("processing_mode: {request_body_mode: STREAMED, response_body_mode: STREAMED}")
          .run(processor, exchange);
  EXPECT_EQ(result.caller.status, 101);
  EXPECT_NE(result.caller_header("connection"), nullptr);
  EXPECT_EQ(result.caller.body, "hellopong");
  EXPECT_EQ(result.upstream.body, "ping");
  EXPECT_FALSE(result.caller.complete || result.caller.reset || result.upstream.complete);
  // Both headers, and the three chunks.
  EXPECT_EQ(result.statistic("stream_msgs_sent"), 5U);
  // Whoever wants the whole body first waits for ever.
  const auto buffered =
      Envoy("processing_mode: {request_body_mode: BUFFERED}").run(processor, exchange);
  EXPECT_FALSE(buffered.upstream.reached);
  EXPECT_EQ(buffered.caller.status, 0);
}

// What a real Envoy makes of it is in tests/envoy_cases/per_route.yaml.
TEST(Envoy, TheRouteHasTheLastWord) {
  BaseExtProcService processor;
  const Envoy envoy("processing_mode: {response_header_mode: SKIP}");
  const auto messages = [&](const std::vector<std::string>& per_route) {
    return envoy.run(processor, {.per_route = per_route}).statistic("stream_msgs_sent");
  };
  EXPECT_EQ(messages({}), 1U);
  EXPECT_EQ(messages({"overrides: {processing_mode: {}}"}), 2U);
  EXPECT_EQ(messages({"overrides: {processing_mode: {}}", "disabled: true"}), 0U);
  EXPECT_EQ(messages({"disabled: true", "overrides: {}"}), 1U);
  const std::string typed =
      "\"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute\n";
  EXPECT_EQ(messages({typed + "disabled: true"}), 0U);
  EXPECT_THROW(messages({"disable: true"}), EnvoyConfigError);
  EXPECT_THROW(messages({"overrides: {processing_request_modifier: {}}"}), EnvoyConfigError);
}

TEST(Envoy, CanBeRunAgainAndGetsTheSame) {
  auto processor = with<Phase::response_headers>(
      [](auto&, auto&, auto&, auto& response) { response.set_header("x-seen", "1"); });
  const Envoy envoy("");
  const auto first = envoy.run(processor, {});
  const auto second = envoy.run(processor, {});
  EXPECT_EQ(first.caller.headers, second.caller.headers);
  EXPECT_EQ(first.statistics, second.statistics);
}

TEST(Envoy, MissingPseudoHeadersAreAdded) {
  BaseExtProcService processor;
  const auto result = Envoy("").run(processor, {.request = {.headers = {{":path", "/there"}}}});
  EXPECT_THAT(result.upstream.headers,
              ElementsAre(Pair(":method", "GET"), Pair(":scheme", "http"),
                          Pair(":authority", "localhost"), Pair(":path", "/there")));
}

TEST(Envoy, ChunksThatComeTogetherAreOneMessage) {
  BaseExtProcService processor;
  const Envoy envoy("processing_mode: {request_body_mode: STREAMED, response_header_mode: SKIP}");
  Exchange exchange{.request = {.body = {"a", "b", "c"}}};
  EXPECT_EQ(envoy.run(processor, exchange).statistic("stream_msgs_sent"), 4U);
  exchange.request_pacing = Pacing::together;
  EXPECT_EQ(envoy.run(processor, exchange).statistic("stream_msgs_sent"), 2U);
}

}  // namespace
}  // namespace extproc::testing
