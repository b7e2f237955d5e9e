#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "blocks/redis_server.h"
#include "extproc/error.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"
#include "extproc/testing/exported.h"

namespace extproc::testing {
namespace {

using namespace std::chrono_literals;
using redis::RedisServer;
using ::testing::Contains;
using ::testing::Pair;

/// As `extproc config` writes it.
constexpr std::string_view kFilter = R"(
  message_timeout: 1.5s
  allow_mode_override: true
  processing_mode: {request_body_mode: BUFFERED, response_body_mode: STREAMED, response_trailer_mode: SEND}
)";

struct Ask {
  std::string key = "k";
  std::string body = "pay 10";
  std::string method = "POST";
  std::string path = "/payments";
  HeaderList more{};
  HttpMessage upstream{.headers = {{":status", "201"},
                                   {"content-type", "text/csv"},
                                   {"set-cookie", "a=1"},
                                   {"set-cookie", "b=2"}},
                       .body = {"paid ", "10"}};
};

EnvoyResult play(const Service& processor, const Ask& ask) {
  HeaderList headers = {{":method", ask.method}, {":path", ask.path}};
  if (!ask.key.empty()) headers.emplace_back("idempotency-key", ask.key);
  headers.insert(headers.end(), ask.more.begin(), ask.more.end());
  HttpMessage request{.headers = std::move(headers)};
  if (!ask.body.empty()) request.body = {ask.body};
  auto result = Envoy(kFilter).run(processor, {.request = request, .upstream = ask.upstream});
  EXPECT_TRUE(result.violations.empty());
  EXPECT_TRUE(result.refusals.empty());
  EXPECT_TRUE(result.unmet_needs.empty());
  return result;
}

/// "201 paid 10", a ! in front where it was not the upstream that said so.
std::string told(const EnvoyResult& result) {
  return (result.upstream.reached && result.upstream.complete ? "" : "!") +
         std::to_string(result.caller.status) + " " + result.caller.body;
}
std::string told(const Service& processor, const Ask& ask) { return told(play(processor, ask)); }

/// In memory, and in a Redis.
class ProductionIdempotency : public ::testing::TestWithParam<bool> {
 protected:
  OwnSettings settings() {
    OwnSettings own;
    if (!GetParam()) return own;
    if (!server) server = std::make_unique<RedisServer>();
    return own.set("redis", "redis://127.0.0.1:" + std::to_string(server->port()));
  }

  std::unique_ptr<RedisServer> server;
};
INSTANTIATE_TEST_SUITE_P(Stores, ProductionIdempotency, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "Redis" : "Memory"; });

TEST_P(ProductionIdempotency, WhatIsSentAgainIsAnsweredAsTheFirstTime) {
  const Service processor = exported("Idempotency", settings());
  const EnvoyResult first = play(processor, {});
  EXPECT_EQ(told(first), "201 paid 10");
  const EnvoyResult second = play(processor, {.upstream = {.body = {"never asked"}}});
  EXPECT_EQ(told(second), "!201 paid 10");
  EXPECT_FALSE(second.upstream.reached);
  for (const auto& header : {Pair("content-type", "text/csv"), Pair("set-cookie", "a=1"),
                             Pair("set-cookie", "b=2"), Pair("idempotent-replayed", "true")}) {
    EXPECT_THAT(second.caller.headers, Contains(header));
  }
  EXPECT_EQ(told(processor, {.key = "other"}), "201 paid 10");
}

TEST_P(ProductionIdempotency, BytesAreBytes) {
  const Service processor = exported("Idempotency", settings());
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const Ask ask{.body = all, .upstream = {.body = {all, "\r\n\r\n", all}}};
  EXPECT_EQ(play(processor, ask).upstream.body, all);
  EXPECT_EQ(told(processor, ask), "!200 " + all + "\r\n\r\n" + all);
}

TEST_P(ProductionIdempotency, WithoutABody) {
  const Service processor = exported("Idempotency", settings());
  const Ask ask{.body = "", .upstream = {.headers = {{":status", "204"}}}};
  EXPECT_EQ(told(processor, ask), "204 ");
  EXPECT_EQ(told(processor, ask), "!204 ");
}

TEST_P(ProductionIdempotency, WithTrailers) {
  const Service processor = exported("Idempotency", settings());
  const Ask ask{.upstream = {.body = {"a", "b"}, .trailers = HeaderList{{"t", "1"}}}};
  EXPECT_EQ(told(processor, ask), "200 ab");
  EXPECT_EQ(told(processor, ask), "!200 ab");
}

TEST_P(ProductionIdempotency, TheKeyWithSomethingElseIsRefused) {
  const Service processor = exported("Idempotency", settings());
  EXPECT_EQ(told(processor, {}), "201 paid 10");
  for (const Ask& other :
       {Ask{.body = "pay 11"}, Ask{.body = ""}, Ask{.method = "PATCH"}, Ask{.path = "/refunds"}}) {
    EXPECT_EQ(told(processor, other), "!422 idempotency-key was for another request\n");
  }
}

TEST_P(ProductionIdempotency, CallersDoNotShareKeys) {
  const Service processor =
      exported("Idempotency", settings().set("scope", std::vector<std::string>{"x-user"}));
  EXPECT_EQ(told(processor, {.more = {{"x-user", "a"}}}), "201 paid 10");
  EXPECT_EQ(told(processor, {.more = {{"x-user", "b"}}}), "201 paid 10");
  EXPECT_EQ(told(processor, {.more = {{"x-user", "a"}}}), "!201 paid 10");
}

TEST_P(ProductionIdempotency, WhileItIsUnderWayAnotherIsTold) {
  const Service processor = exported("Idempotency", settings());
  // One whose upstream never answers: its caller goes away.
  const Ask never{.upstream = {.headers = {{":status", "200"}}, .body = {"a"}, .stays_open = true}};
  EXPECT_FALSE(play(processor, never).caller.complete);
  const EnvoyResult second = play(processor, {});
  EXPECT_EQ(told(second), "!409 a request with this idempotency-key is under way\n");
  EXPECT_THAT(second.caller.headers, Contains(Pair("retry-after", "1")));
}

TEST_P(ProductionIdempotency, OneOfManyAtOnceIsDone) {
  const Service processor = exported("Idempotency", settings());
  std::atomic<int> reached{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const EnvoyResult result = play(processor, {});
      if (result.upstream.reached) ++reached;
      if (result.caller.status != 201 && result.caller.status != 409) ++wrong;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(reached, 1);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(told(processor, {}), "!201 paid 10");
}

TEST_P(ProductionIdempotency, AFailureIsNotKept) {
  const Service processor = exported("Idempotency", settings());
  EXPECT_EQ(told(processor, {.upstream = {.headers = {{":status", "503"}}, .body = {"busy"}}}),
            "503 busy");
  EXPECT_EQ(told(processor, {}), "201 paid 10");
  EXPECT_EQ(told(processor, {.key = "b", .upstream = {.headers = {{":status", "404"}}}}), "404 ");
  EXPECT_EQ(told(processor, {.key = "b"}), "!404 ");
}

TEST_P(ProductionIdempotency, AnswersAreKeptForSoLong) {
  const Service processor =
      exported("Idempotency", settings().set("keep", "0.02").set("in_flight", "0.02"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(told(processor, {}), "201 paid 10");
    std::this_thread::sleep_for(30ms);
  }
}

TEST_P(ProductionIdempotency, OneThatIsTooLargeIsNotDoneTwiceEither) {
  const Service processor = exported("Idempotency", settings().set("largest", "1k"));
  const std::string large(2'000, 'x');
  EXPECT_EQ(told(processor, {.upstream = {.body = {large, large}}}), "200 " + large + large);
  EXPECT_EQ(told(processor, {}), "!409 done, and its answer was too large to keep\n");
}

TEST_P(ProductionIdempotency, OthersPass) {
  const Service processor = exported("Idempotency", settings());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(told(processor, {.key = ""}), "201 paid 10");
    EXPECT_EQ(told(processor, {.body = "", .method = "GET"}), "201 paid 10");
  }
  EXPECT_EQ(play(processor, {.key = std::string(256, 'k')}).caller.status, 400);
  const Service strict = exported("Idempotency", settings().set("required", true));
  EXPECT_EQ(play(strict, {.key = ""}).caller.status, 400);
  EXPECT_EQ(told(strict, {.key = "", .body = "", .method = "GET"}), "201 paid 10");
}

TEST(ProductionIdempotencyMemory, IsBounded) {
  const Service processor = exported("Idempotency", OwnSettings().set("memory", "4k"));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(told(processor, {.key = std::to_string(i)}), "201 paid 10");
  }
  EXPECT_EQ(told(processor, {.key = "99"}), "!201 paid 10");
  EXPECT_EQ(told(processor, {.key = "0"}), "201 paid 10") << "the oldest went";
}

// --- A Redis that goes

OwnSettings of(const RedisServer& server, bool refuses) {
  return OwnSettings()
      .set("redis", "redis://127.0.0.1:" + std::to_string(server.port()))
      .set("refuse_without_store", refuses)
      .set("wait", "0.2");
}

TEST(ProductionIdempotencyRedis, WithoutItItRefusesOrPasses) {
  RedisServer server;
  const Service refuses = exported("Idempotency", of(server, true));
  const Service passes = exported("Idempotency", of(server, false));
  EXPECT_EQ(told(refuses, {}), "201 paid 10");
  EXPECT_EQ(told(passes, {}), "!201 paid 10") << "they share it";
  server.kill();
  const EnvoyResult refused = play(refuses, {});
  EXPECT_EQ(told(refused), "!503 ");
  EXPECT_THAT(refused.caller.headers, Contains(Pair("retry-after", "1")));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(told(passes, {}), "201 paid 10");
  EXPECT_EQ(told(refuses, {.key = ""}), "201 paid 10") << "what needs no store passes";
  server.start();
  EXPECT_EQ(told(refuses, {}), "201 paid 10");
  EXPECT_EQ(told(refuses, {}), "!201 paid 10");
}

TEST(ProductionIdempotencyRedis, OneThatStandsStillIsWaitedForSoLong) {
  RedisServer server;
  const Service refuses = exported("Idempotency", of(server, true));
  server.freeze();
  EXPECT_EQ(told(refuses, {}), "!503 ");
  server.thaw();
  // What it was asked then it may do now, for whoever has gone.
  std::string outcome;
  for (int i = 0; i < 1000 && outcome != "201 paid 10"; ++i) {
    outcome = told(refuses, {});
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(outcome, "201 paid 10");
}

TEST(ProductionIdempotencyRedis, SettingsThatAreNoneAreRefused) {
  EXPECT_THROW(exported("Idempotency", OwnSettings().set("redis", "localhost")), Error);
}

}  // namespace
}  // namespace extproc::testing
