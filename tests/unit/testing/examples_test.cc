// The examples, tested as a user would test a processor: with the filter that it is deployed with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <string>

#include "extproc/chain.h"
#include "extproc/testing/envoy.h"
#include "extproc/testing/exported.h"

namespace extproc::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Pair;

// The entry of http_filters in deploy/envoy.yaml that calls the cluster.
std::string deployed_filter(const std::string& cluster) {
  const YAML::Node root = YAML::LoadFile(EXTPROC_DEPLOYED);
  const YAML::Node manager =
      root["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
  for (const auto& filter : manager["http_filters"]) {
    const YAML::Node service = filter["typed_config"]["grpc_service"]["envoy_grpc"];
    if (service && service["cluster_name"].Scalar() == cluster) {
      YAML::Emitter text;
      text << YAML::Flow << YAML::DoubleQuoted << filter;
      return text.c_str();
    }
  }
  throw std::runtime_error("no filter for " + cluster);
}

EnvoyResult run(const std::string& cluster, const std::string& processor,
                const Exchange& exchange) {
  return Envoy(deployed_filter(cluster)).run(exported(processor), exchange);
}

const HeaderList kHeaders = {
    {":method", "POST"}, {":path", "/things"}, {"x-request-id", "id-1"}, {"x-tenant-id", "acme"}};

TEST(Examples, TrivialGivesBothTheRequestId) {
  const auto result = run("trivial", "TrivialExtProcService", {.request = {.headers = kHeaders}});
  EXPECT_THAT(result.upstream.headers, Contains(Pair("x-extra-request-id", "id-1")));
  EXPECT_THAT(result.caller.headers, Contains(Pair("x-extra-request-id", "id-1")));
  EXPECT_TRUE(result.refusals.empty());
}

TEST(Examples, TimerTellsStartAndDuration) {
  const auto result = run("timer", "TimerExtProcService",
                          {.request = {.headers = kHeaders}, .upstream = {.body = {"a", "b"}}});
  const auto* started = result.upstream_header("x-request-started");
  ASSERT_NE(started, nullptr);
  EXPECT_THAT(*started, MatchesRegex("....-..-..T..:..:..\\.......Z"));
  EXPECT_THAT(result.caller.headers, Contains(Pair("x-request-started", *started)));
  ASSERT_NE(result.caller_header("x-duration-ns"), nullptr);
  EXPECT_GT(std::stoll(*result.caller_header("x-duration-ns")), 0);
}

TEST(Examples, EchoAnswersInPlaceOfTheUpstream) {
  auto headers = kHeaders;
  headers.emplace_back("x-echo-only", "true");
  const auto result =
      run("echo", "EchoExtProcService", {.request = {.headers = headers, .body = {"he", "llo"}}});
  EXPECT_FALSE(result.upstream.reached);
  EXPECT_EQ(result.caller.status, 200);
  EXPECT_EQ(result.caller.body, "hello");
  EXPECT_THAT(result.caller.headers, Contains(Pair("x-tenant-id", "acme")));

  const auto other = run("echo", "EchoExtProcService", {.request = {.headers = kHeaders}});
  EXPECT_TRUE(other.upstream.complete);
}

TEST(Examples, DigestIsTheSameForUpstreamAndCaller) {
  const Exchange exchange{.request = {.headers = kHeaders, .body = {"chunk1", "chunk2"}},
                          .upstream = {.body = {"ok"}}};
  const auto result = run("digest", "DigestExtProcService", exchange);
  const auto* digest = result.upstream_header("x-request-digest");
  ASSERT_NE(digest, nullptr);
  EXPECT_EQ(digest->size(), 64U);
  EXPECT_THAT(result.caller.headers, Contains(Pair("x-request-digest", *digest)));

  // The one that is made of registered functions tells the upstream the same.
  const auto decorated = run("decorated", "DecoratedExtProcService", exchange);
  EXPECT_THAT(decorated.upstream.headers, Contains(Pair("x-request-digest", *digest)));
  EXPECT_EQ(decorated.caller_header("x-request-digest"), nullptr);
}

TEST(Examples, ContextComesBackToItsOwnCaller) {
  auto headers = kHeaders;
  headers.emplace_back("x-context-id", "42");
  Exchange exchange{.request = {.headers = headers, .body = {"42"}},
                    .upstream = {.body = {R"({"path": "/things"})"}}};
  const auto result = run("context", "CtxExtProcService", exchange);
  EXPECT_EQ(result.caller.status, 200);
  EXPECT_THAT(result.caller.headers, Contains(Pair("x-context-id", "42")));

  exchange.request.body = {"41"};
  const auto mixed_up = run("context", "CtxExtProcService", exchange);
  EXPECT_THAT(mixed_up.log, Contains(HasSubstr("the body is not the context id 42")));
  EXPECT_EQ(mixed_up.statistic("streams_failed"), 1U);
}

// Three of them in the one filter that serves the digest.
TEST(Examples, AChainIsTestedAsAnyProcessor) {
  Chain chain({exported("TrivialExtProcService"), exported("EchoExtProcService"),
               exported("DigestExtProcService")});
  const Envoy envoy(deployed_filter("digest"));
  Exchange exchange{.request = {.headers = kHeaders, .body = {"chunk1", "chunk2"}},
                    .upstream = {.body = {"ok"}}};
  const auto result = envoy.run(chain, exchange);
  EXPECT_THAT(result.upstream.headers, Contains(Pair("x-extra-request-id", "id-1")));
  ASSERT_NE(result.upstream_header("x-request-digest"), nullptr);
  EXPECT_EQ(result.upstream_header("x-request-digest")->size(), 64U);
  EXPECT_THAT(result.caller.headers,
              Contains(Pair("x-ext-procs-applied",
                            "TrivialExtProcService,EchoExtProcService,DigestExtProcService")));
  EXPECT_EQ(result.caller.body, "ok");
  EXPECT_EQ(result.statistic("streams_started"), 1U);
  EXPECT_TRUE(result.refusals.empty());

  // The echo answers; those around it still see its response.
  exchange.request.headers.emplace_back("x-echo-only", "true");
  const auto echoed = envoy.run(chain, exchange);
  EXPECT_FALSE(echoed.upstream.reached);
  EXPECT_EQ(echoed.caller.body, "chunk1chunk2");
  EXPECT_THAT(echoed.caller.headers, Contains(Pair("x-extra-request-id", "id-1")));
  EXPECT_TRUE(echoed.refusals.empty());
}

TEST(Examples, AnUnknownNameIsAnError) { EXPECT_THROW(exported("Nobody"), std::invalid_argument); }

}  // namespace
}  // namespace extproc::testing
