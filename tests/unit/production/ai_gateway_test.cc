#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <vector>

#include "extproc/chain.h"
#include "extproc/coding.h"
#include "extproc/error.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"
#include "extproc/testing/exported.h"

namespace extproc::testing {
namespace {

using coding::Coding;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

/// As `extproc config` writes it.
constexpr std::string_view kFilter = R"(
  metadata_options: {receiving_namespaces: {untyped: [ai]}}
  processing_mode:
    request_body_mode: FULL_DUPLEX_STREAMED
    response_body_mode: FULL_DUPLEX_STREAMED
    request_trailer_mode: SEND
    response_trailer_mode: SEND
)";
/// The body modes that an Envoy has within itself.
constexpr std::string_view kStreamed = R"(
  metadata_options: {receiving_namespaces: {untyped: [ai]}}
  processing_mode: {request_body_mode: STREAMED, response_body_mode: STREAMED}
  send_body_without_waiting_for_header_response: true
)";

OwnSettings settings() {
  return OwnSettings()
      .set("models", std::vector{OwnSettings().set("name", "small").set("cluster", "cheap"),
                                 OwnSettings().set("name", "large-*").set("cluster", "dear")})
      .set("secrets", std::vector<std::string>{"hunter2"})
      .set("secret_patterns", std::vector<std::string>{"sk-[a-z0-9]{8,}"});
}

HttpMessage asking(std::vector<std::string> body, HeaderList more = {}) {
  HeaderList headers = {{":method", "POST"}, {":path", "/v1/chat"}, {"x-tenant", "acme"}};
  headers.insert(headers.end(), more.begin(), more.end());
  return {.headers = std::move(headers), .body = std::move(body)};
}
HttpMessage asking_small() { return asking({R"({"model":"small"})"}); }

HttpMessage events(std::vector<std::string> body, HeaderList more = {}) {
  HeaderList headers = {{":status", "200"}, {"content-type", "text/event-stream; charset=utf-8"}};
  headers.insert(headers.end(), more.begin(), more.end());
  return {.headers = std::move(headers), .body = std::move(body)};
}

std::string delta(std::string_view text) {
  return R"(data: {"choices":[{"index":0,"delta":{"content":")" + std::string(text) + "\"}}]}\n\n";
}
constexpr std::string_view kUsage =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5}}\n\n";
constexpr std::string_view kDone = "data: [DONE]\n\n";

class ProductionAiGateway : public ::testing::TestWithParam<std::string_view> {
 protected:
  EnvoyResult play(HttpMessage request, HttpMessage upstream = {}) {
    auto result =
        Envoy(GetParam())
            .run(gateway, {.request = std::move(request), .upstream = std::move(upstream)});
    EXPECT_TRUE(result.violations.empty());
    EXPECT_TRUE(result.refusals.empty());
    EXPECT_TRUE(result.unmet_needs.empty());
    return result;
  }
  static std::int64_t tokens(const EnvoyResult& result) {
    const auto found = result.dynamic_metadata.find("ai");
    if (found == result.dynamic_metadata.end()) return -1;
    return static_cast<std::int64_t>(*found->second.view().find("tokens")->number());
  }

  Service gateway = exported("AiGateway", settings());
};

INSTANTIATE_TEST_SUITE_P(Modes, ProductionAiGateway, ::testing::Values(kFilter, kStreamed),
                         [](const auto& mode) { return mode.index == 0 ? "Duplex" : "Streamed"; });

TEST_P(ProductionAiGateway, TheModelChoosesTheCluster) {
  const auto small = play(asking({R"({"model":"small","messages":[]})"}));
  EXPECT_THAT(small.upstream.headers, Contains(Pair("x-ai-cluster", "cheap")));
  EXPECT_TRUE(small.route_cache_cleared);
  EXPECT_EQ(small.upstream.body, R"({"model":"small","messages":[]})");
  // A caller cannot choose.
  const auto large =
      play(asking({R"({"mo)", R"(del":"lar)", R"(ge-2"})"}, {{"x-ai-cluster", "cheap"}}));
  EXPECT_THAT(large.upstream.headers, Contains(Pair("x-ai-cluster", "dear")));
  EXPECT_THAT(large.upstream.headers, Not(Contains(Pair("x-ai-cluster", "cheap"))));
  EXPECT_EQ(large.upstream.body, R"({"model":"large-2"})");
}

TEST_P(ProductionAiGateway, TheModelMayStandAtTheEnd) {
  std::vector<std::string> body = {R"({"messages":[")"};
  for (int i = 0; i < 100; ++i) body.push_back(std::string(10'000, 'x'));
  body.emplace_back(R"("],"model":"small"})");
  std::string all;
  for (const std::string& each : body) all += each;
  const auto result = play(asking(body));
  EXPECT_THAT(result.upstream.headers, Contains(Pair("x-ai-cluster", "cheap")));
  EXPECT_EQ(result.upstream.body, all);
}

TEST_P(ProductionAiGateway, TheRequestMayBeEncoded) {
  for (const Coding each : {Coding::gzip, Coding::br, Coding::zstd, Coding::deflate}) {
    const std::string body = coding::encoded(each, R"({"model":"small"})");
    const auto result =
        play(asking({body}, {{"content-encoding", std::string(coding::name_of(each))}}));
    EXPECT_THAT(result.upstream.headers, Contains(Pair("x-ai-cluster", "cheap")));
    EXPECT_EQ(result.upstream.body, body);
  }
}

TEST_P(ProductionAiGateway, RefusesWhatItCannotSend) {
  EXPECT_EQ(play(asking({R"({"model":"huge"})"})).caller.status, 404);
  EXPECT_EQ(play(asking({"no json"})).caller.status, 400);
  EXPECT_THAT(play(asking({"no json"})).caller.body, HasSubstr("no JSON"));
  EXPECT_EQ(play(asking({R"({"messages":[]})"})).caller.status, 400);
  EXPECT_EQ(play(asking({R"({"model":3})"})).caller.status, 400);
  EXPECT_EQ(play(asking({"x"}, {{"content-encoding", "gzip"}})).caller.status, 400);
  EXPECT_EQ(play(asking({"x"}, {{"content-encoding", "rot13"}})).caller.status, 415);
  // A bomb: a hundred MiB in a hundred KiB.
  const std::string bomb =
      coding::encoded(Coding::gzip, "{\"a\":\"" + std::string(100'000'000, 'x') + "\"}");
  const auto refused = play(asking({bomb}, {{"content-encoding", "gzip"}}));
  EXPECT_EQ(refused.caller.status, 400);
  EXPECT_FALSE(refused.upstream.complete);
}

TEST_P(ProductionAiGateway, OtherRequestsPass) {
  const auto result =
      play({.headers = {{":path", "/v1/models"}, {"x-ai-cluster", "dear"}}},
           {.headers = {{"content-type", "application/json"}}, .body = {"hunter2"}});
  EXPECT_EQ(result.upstream_header("x-ai-cluster"), nullptr);
  EXPECT_EQ(result.caller.body, "hunter2");
}

TEST_P(ProductionAiGateway, AsksForEncodingsThatItCanRead) {
  const auto accepted = [&](std::string_view from) {
    const auto result =
        play(asking({R"({"model":"small"})"}, {{"accept-encoding", std::string(from)}}));
    return *result.upstream_header("accept-encoding");
  };
  EXPECT_EQ(accepted("gzip, deflate, br"), "br");
  EXPECT_EQ(accepted("dcb, compress"), "identity");
}

TEST_P(ProductionAiGateway, CountsWhatAnAnswerHasCost) {
  const std::string stream = delta("a") + std::string(kUsage) + std::string(kDone);
  EXPECT_EQ(tokens(play(asking_small(), events({stream}))), 12);
  for (const Coding each : {Coding::gzip, Coding::br, Coding::zstd}) {
    const std::string body = coding::encoded(each, stream);
    const auto result =
        play(asking_small(), events({body.substr(0, 9), body.substr(9)},
                                    {{"content-encoding", std::string(coding::name_of(each))}}));
    EXPECT_EQ(tokens(result), 12);
    EXPECT_EQ(coding::decoded(each, result.caller.body), stream);
  }
  const auto json = play(
      asking_small(), {.headers = {{"content-type", "application/json"}, {"content-length", "48"}},
                       .body = {R"({"choices":[],"us)", R"(age":{"total_tokens":42,"x":1}})"}});
  EXPECT_EQ(tokens(json), 42);
  const auto messages =
      play(asking_small(),
           events({"event: message_start\ndata: "
                   "{\"message\":{\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n\n",
                   "event: message_delta\ndata: {\"usage\":{\"output_tokens\":20}}\n\n"}));
  EXPECT_EQ(tokens(messages), 30);
}

TEST_P(ProductionAiGateway, NoSecretGetsIntoAnAnswer) {
  const auto result =
      play(asking_small(), events({delta("it is hunt"), delta("er2. "), delta("sk-abcd"),
                                   delta("efgh12"), std::string(kDone)}));
  EXPECT_EQ(result.caller.body, delta("it is ") + delta("*******. ") + delta("") + delta("") +
                                    delta("*************") + std::string(kDone));
  // Whatever field it is in.
  const auto other = play(asking_small(), events({"data: {\"x\":\"hun", "ter2\"}\n\n"}));
  EXPECT_EQ(other.caller.body, "data: {\"x\":\"*******\"}\n\n");
  const auto json =
      play(asking_small(), {.headers = {{"content-type", "application/json"}, {"etag", "\"1\""}},
                            .body = {R"({"choices":[{"text":"hun)", R"(ter2"}]})"}});
  EXPECT_EQ(json.caller.body, R"({"choices":[{"text":"*******"}]})");
  EXPECT_EQ(*json.caller_header("etag"), "W/\"1\"");
}

TEST_P(ProductionAiGateway, AnAnswerThatNobodyCanReadIsRefused) {
  EXPECT_EQ(play(asking_small(), events({"x"}, {{"content-encoding", "rot13"}})).caller.status,
            502);
  EXPECT_EQ(play(asking_small(), events({"x"}, {{"cache-control", "no-transform"}})).caller.status,
            502);
}

TEST_P(ProductionAiGateway, OtherAnswersPass) {
  const auto result =
      play(asking_small(), {.headers = {{"content-type", "audio/wav"}}, .body = {"hunter2"}});
  EXPECT_EQ(result.caller.body, "hunter2");
}

TEST(ProductionAiGatewayEvents, LeaveAsTheyCome) {
  const Service gateway = exported("AiGateway", settings());
  const auto result = Envoy(kFilter).run(
      gateway, {.request = asking_small(),
                .upstream = events({delta("a"), delta("b"), delta("c").substr(0, 20)})});
  std::vector<std::string> bodies;
  // Each event goes on before the next comes.
  std::size_t sent = 0;
  std::vector<std::size_t> answered;
  for (const ExtProcMessage& each : result.messages) {
    if (each.from_envoy && each.bytes.find("choices") != std::string::npos) ++sent;
    if (!each.from_envoy && each.bytes.find("choices") != std::string::npos)
      answered.push_back(sent);
  }
  ASSERT_GE(answered.size(), 2U);
  EXPECT_EQ(answered[0], 1U);
  EXPECT_EQ(answered[1], 2U);
}

TEST(ProductionAiGatewayEvents, ABombInAnAnswerEndsIt) {
  const Service gateway = exported("AiGateway", settings().set("body_bytes", "1m"));
  const std::string bomb = coding::encoded(Coding::gzip, std::string(100'000'000, 'x'));
  const auto result = Envoy(kFilter).run(
      gateway,
      {.request = asking_small(), .upstream = events({bomb}, {{"content-encoding", "gzip"}})});
  EXPECT_FALSE(result.caller.complete);
  EXPECT_THAT(result.log, Contains(HasSubstr("decoded")));
}

class ProductionAiLimits : public ::testing::Test {
 protected:
  static int status(const Service& gateway, std::string_view tenant, HttpMessage upstream = {}) {
    auto request = asking_small();
    request.headers[2].second = tenant;
    return Envoy(kFilter)
        .run(gateway, {.request = std::move(request), .upstream = std::move(upstream)})
        .caller.status;
  }
};

TEST_F(ProductionAiLimits, AreOfATenant) {
  const Service gateway = exported("AiGateway", settings().set("requests_per_minute", 2));
  EXPECT_EQ(status(gateway, "a"), 200);
  EXPECT_EQ(status(gateway, "a"), 200);
  EXPECT_EQ(status(gateway, "a"), 429);
  EXPECT_EQ(status(gateway, "b"), 200);
  auto request = asking_small();
  request.headers[2].second = "a";
  const auto refused = Envoy(kFilter).run(gateway, {.request = request});
  EXPECT_THAT(refused.caller.headers, Contains(Pair("retry-after", "30")));
  EXPECT_FALSE(refused.upstream.reached);
}

TEST_F(ProductionAiLimits, CountTokens) {
  const Service gateway = exported("AiGateway", settings().set("tokens_per_minute", 20));
  const auto answer = [] { return events({std::string(kUsage)}); };
  EXPECT_EQ(status(gateway, "a", answer()), 200);
  EXPECT_EQ(status(gateway, "a", answer()), 200);
  EXPECT_EQ(status(gateway, "a", answer()), 429);
  EXPECT_EQ(status(gateway, "b", answer()), 200);
}

TEST_F(ProductionAiLimits, CountAnswersThatAreCutOff) {
  const Service gateway = exported("AiGateway", settings().set("tokens_per_minute", 20));
  HttpMessage cut = events({delta(std::string(200, 'x'))});
  cut.stays_open = true;
  EXPECT_EQ(status(gateway, "a", cut), 200);
  EXPECT_EQ(status(gateway, "a"), 429);
}

TEST(ProductionAiSettings, AreChecked) {
  EXPECT_NO_THROW((void)exported("AiGateway"));
  EXPECT_THROW((void)exported("AiGateway", OwnSettings().set("models", std::vector{OwnSettings()})),
               Error);
  EXPECT_THROW(
      (void)exported("AiGateway", settings().set("secret_patterns", std::vector<std::string>{"("})),
      Error);
  EXPECT_THROW((void)exported("AiGateway", settings().set("tokens_per_minute", 0)), Error);
}

}  // namespace
}  // namespace extproc::testing
