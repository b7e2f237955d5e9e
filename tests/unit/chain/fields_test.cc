// Fields of an answer that a chain has to carry, each alone and in a chain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "extproc/async.h"
#include "extproc/chain.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"

namespace extproc {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::Envoy;
using testing::EnvoyResult;
using testing::Exchange;
using ::testing::Not;
using ::testing::Pair;

const Exchange kTwoChunks{.request = {.headers = {{":method", "POST"}}, .body = {"1", "2"}},
                          .upstream = {.body = {"a", "b"}}};

/// Lets a body through, as a handler over the whole of it.
class Passes : public AsyncProcessor {
 public:
  std::string name() const override { return "P"; }
  Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
    while (auto chunk = co_await body.read()) body.write(chunk->body());
  }
};

EnvoyResult run(const Envoy& envoy, std::vector<Service> processors) {
  Chain chain(std::move(processors));
  return envoy.run(Service(chain), kTwoChunks);
}

Handlers clearing_route_with_the_body() {
  Handlers handlers("C");
  handlers.process<Phase::request_body>([](auto&, auto&, auto&, auto& r) {
    r.set_header("x-route", "other");
    r.clear_route_cache();
  });
  return handlers;
}

TEST(ChainFields, ClearRouteCacheBesideAHandlerOverTheWholeBody) {
  const Envoy envoy("processing_mode: {request_body_mode: BUFFERED}");
  Handlers clears = clearing_route_with_the_body();
  EXPECT_TRUE(envoy.run(Service(clears), kTwoChunks).route_cache_cleared);
  EXPECT_TRUE(run(envoy, {Service(clears), Service::make<Passes>()}).route_cache_cleared);
  EXPECT_TRUE(run(envoy, {Service::make<Passes>(), Service(clears)}).route_cache_cleared);
}

// In a chain as in a filter each, it counts with the header changes of its own answer.
TEST(ChainFields, ClearRouteCacheNeedsAHeaderChangeOfItsOwn) {
  Handlers sets("S"), clears("C");
  sets.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& r) { r.set_header("x-a", "1"); });
  clears.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& r) { r.clear_route_cache(); });
  const auto result = run(Envoy(""), {Service(sets), Service(clears)});
  EXPECT_NE(result.upstream_header("x-a"), nullptr);
  EXPECT_FALSE(result.route_cache_cleared);
  EXPECT_THAT(result.log, ElementsAre(::testing::HasSubstr(
                              "C: request_headers for request unknown: clear_route_cache")));
}

Handlers buffering() {
  Handlers handlers("B");
  handlers.process<Phase::request_headers>([](auto&, auto&, auto&, auto& r) {
    r.override_mode({.request_body_mode = BodySendMode::buffered});
  });
  handlers.process<Phase::request_body>(
      [](auto&, auto&, auto&, auto& r) { r.set_header("x-with-body", "1"); });
  return handlers;
}

TEST(ChainFields, HeadersWithABodyWhoseModeWasOverridden) {
  const Envoy envoy("{processing_mode: {request_body_mode: STREAMED}, allow_mode_override: true}");
  Handlers buffers = buffering(), nothing("N");
  nothing.process<Phase::request_body>([](auto&, auto&, auto&, auto&) {});
  const Service alone(buffers);
  for (const auto& result :
       {envoy.run(alone, kTwoChunks), run(envoy, {alone, Service(nothing)}),
        run(envoy, {Service(nothing), alone}), run(envoy, {alone, Service::make<Passes>()})}) {
    EXPECT_THAT(result.upstream.headers, Contains(Pair("x-with-body", "1")));
    EXPECT_EQ(result.upstream.body, "12");
    EXPECT_THAT(result.log, ElementsAre());
  }
}

// Where one has the body buffered, another whose own filter would stream it changes no headers.
TEST(ChainFields, TheModeThatOneAskedForIsItsOwn) {
  const Envoy envoy("{processing_mode: {request_body_mode: STREAMED}, allow_mode_override: true}");
  Handlers buffers = buffering(), other("O");
  other.process<Phase::request_body>(
      [](auto&, auto&, auto&, auto& r) { r.set_header("x-other", "1"); });
  const auto result = run(envoy, {Service(buffers), Service(other)});
  EXPECT_THAT(result.upstream.headers, Contains(Pair("x-with-body", "1")));
  EXPECT_THAT(result.upstream.headers, Not(Contains(Pair("x-other", "1"))));
  EXPECT_THAT(result.log, ElementsAre(::testing::HasSubstr(
                              "O: request_body for request unknown: body_header_mutation")));
}

TEST(ChainFields, ABodyThatOnlyAnotherAskedForIsNotGivenToAll) {
  const Envoy envoy("{processing_mode: {request_body_mode: NONE}, allow_mode_override: true}");
  Handlers buffers = buffering(), other("O");
  int called = 0;
  other.process<Phase::request_body>([&called](auto&, auto&, auto&, auto&) { ++called; });
  const auto result = run(envoy, {Service(buffers), Service(other)});
  EXPECT_THAT(result.upstream.headers, Contains(Pair("x-with-body", "1")));
  EXPECT_EQ(called, 0);
}

TEST(ChainFields, HeadersThatEnvoyKeepsForItselfAreNotSeenByTheNext) {
  Handlers sets("S"), sees("N");
  sets.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& r) { r.set_header("x-envoyfoo", "1"); });
  sees.process<Phase::request_headers>([](auto& headers, auto&, auto&, auto&) {
    EXPECT_EQ(headers.get_header("x-envoyfoo"), std::nullopt);
  });
  const auto result = run(Envoy(""), {Service(sets), Service(sees)});
  EXPECT_THAT(result.upstream.headers, Not(Contains(Pair("x-envoyfoo", "1"))));
  EXPECT_THAT(
      result.log,
      ElementsAre(::testing::HasSubstr("S: request_headers for request unknown: header_denied")));
}

// By the processor that broke it, and not by the chain again.
TEST(ChainFields, ABrokenRuleIsToldOnce) {
  Handlers breaks("B"), other("O");
  breaks.process<Phase::request_headers>([](auto&, auto&, auto&, auto& r) {
    r.set_header("x-envoy-a", "1");
    r.append_header(":path", "/2");
    r.remove_header("host");
  });
  other.process<Phase::request_headers>([](auto&, auto&, auto&, auto&) {});
  const auto result = run(Envoy(""), {Service(breaks), Service(other)});
  EXPECT_EQ(result.violations.size(), 3U);
  EXPECT_EQ(result.log.size(), 3U);
}

// With CONTINUE_AND_REPLACE the method may be changed, but by the one that replaces.
TEST(ChainFields, AMethodThatIsRefusedIsNotChangedByAnothersReplacement) {
  Handlers sets("S"), replaces("R");
  sets.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& r) { r.set_header(":method", "PUT"); });
  replaces.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& r) { r.continue_and_replace("new"); });
  for (const auto& chain : {std::vector{Service(sets), Service(replaces)},
                            std::vector{Service(replaces), Service(sets)}}) {
    const auto result = run(Envoy(""), chain);
    EXPECT_THAT(result.upstream.headers, Contains(Pair(":method", "POST")));
    EXPECT_EQ(result.upstream.body, "new");
  }
}

TEST(ChainFields, ManyRefusedHeadersDoNotEndTheStream) {
  Handlers one("A"), two("B");
  for (Handlers* handlers : {&one, &two}) {
    handlers->process<Phase::request_headers>([](auto&, auto&, auto&, auto& r) {
      for (int i = 0; i < 60; ++i) r.set_header("x-envoy-" + std::to_string(i), "1");
    });
  }
  EXPECT_EQ(run(Envoy(""), {Service(one), Service(two)}).caller.status, 200);
}

}  // namespace
}  // namespace extproc
