// The filter in a fake Envoy: what goes on, and what is answered.
#include <memory>
#include <string>

#include "envoy/kit/inside/hooks.h"
#include "filter/filter_in_envoy.h"

namespace extproc::fake {
namespace {

using ::testing::Contains;

TEST_F(FilterInEnvoy, ChangesHeaders) {
  const auto it = stream(make("Changes"));
  it->request_headers(true);
  EXPECT_TRUE(it->upstream().headers);
  EXPECT_TRUE(it->upstream().ended);
  EXPECT_EQ(it->value(abi::kRequestHeaders, "x-seen"), "request");
  it->response_headers({{":status", "200"}}, true);
  EXPECT_EQ(it->value(abi::kResponseHeaders, "x-seen"), "response");
  EXPECT_EQ(it->value(abi::kResponseHeaders, "x-ext-procs-applied"), "Changes");
  it->destroy();
  EXPECT_EQ(seen().completed, 1);
}

// What is known to be new is added, and what is not is overwritten: nobody can tell.
TEST_F(FilterInEnvoy, SetsWhatIsThereAndWhatIsNot) {
  for (const char* processor : {"Sets", "SetsLater"}) {
    const auto it = stream(make(processor), {{"x-there", "1"}, {"x-there", "2"}, {"x-gone", "3"}});
    it->request_headers(true);
    EXPECT_TRUE(until([&] { return it->upstream().headers; }));
    const auto all = [&](std::string_view name) { return it->value(abi::kRequestHeaders, name); };
    EXPECT_EQ(all("x-there"), "a");
    EXPECT_EQ(all("x-new"), "c");
    EXPECT_EQ(all("x-more"), "e,f");
    EXPECT_EQ(all("x-gone"), "g");
    EXPECT_EQ(all(":path"), "/h");
  }
}

TEST_F(FilterInEnvoy, HoldsHeadersForABufferedBody) {
  const auto it = stream(make("Changes"));
  it->request_headers(false);
  EXPECT_FALSE(it->upstream().headers);
  it->request_body("hel", false);
  EXPECT_FALSE(it->upstream().headers);
  it->request_body("lo", true);
  EXPECT_EQ(it->upstream().body, "HELLO");
  EXPECT_TRUE(it->upstream().ended);
  EXPECT_EQ(it->value(abi::kRequestHeaders, "content-length"), "5");
}

TEST_F(FilterInEnvoy, TrailersEndABufferedBody) {
  const auto it = stream(make("Changes", modes("BUFFERED", "BUFFERED")));
  it->request_headers(false);
  it->request_body("hello", false);
  it->request_trailers({{"x-t", "1"}});
  EXPECT_EQ(it->upstream().body, "HELLO");
  EXPECT_TRUE(it->upstream().trailers);
  EXPECT_EQ(it->value(abi::kRequestTrailers, "x-end"), "request");
}

TEST_F(FilterInEnvoy, AnUnchangedBodyGoesOn) {
  for (const char* mode : {"BUFFERED", "STREAMED", "BUFFERED_PARTIAL"}) {
    const auto it = stream(make("Looks", modes(mode, mode)));
    it->request_headers(false);
    it->request_body("a", false);
    it->request_body("bc", false);
    it->request_body("d", true);
    EXPECT_EQ(it->upstream().body, "abcd") << mode;
    it->response_headers({{":status", "200"}}, false);
    it->response_body("xyz", false);
    it->response_trailers({{"x-t", "1"}});
    EXPECT_EQ(it->downstream().body, "xyz") << mode;
    EXPECT_TRUE(it->downstream().trailers);
  }
}

TEST_F(FilterInEnvoy, ABodyOverTheLimitIsEnvoysToRefuse) {
  const auto it = stream(make("Changes"), {}, {.buffer_limit = 10});
  it->request_headers(false);
  it->request_body("0123456789abc", false);
  ASSERT_TRUE(it->reply());
  EXPECT_EQ(it->reply()->status, 413);
}

TEST_F(FilterInEnvoy, ABodyThatItsEndTakesOverTheLimitIsToo) {
  for (const std::size_t before : {0, 4, 10}) {
    const auto it = stream(make("Changes"), {}, {.buffer_limit = 10});
    it->request_headers(false);
    if (before > 0) it->request_body(std::string(before, 'a'), false);
    it->request_body(std::string(11 - before, 'b'), true);
    ASSERT_TRUE(it->reply()) << before;
    EXPECT_EQ(it->reply()->status, 413);
  }
  for (const std::size_t limit : {10, 0}) {
    const auto it = stream(make("Changes"), {}, {.buffer_limit = limit});
    it->request_headers(false);
    it->request_body("0123", false);
    it->request_body("456789", true);
    EXPECT_FALSE(it->reply()) << limit;
  }
}

TEST_F(FilterInEnvoy, APartOfABodyIsChangedAndTheRestGoesOn) {
  const auto it =
      stream(make("Changes", modes("BUFFERED_PARTIAL", "NONE")), {}, {.buffer_limit = 4});
  it->request_headers(false);
  it->request_body("ab", false);
  EXPECT_FALSE(it->upstream().headers);
  it->request_body("cd", false);
  EXPECT_EQ(it->upstream().body, "ABCD");
  it->request_body("ef", true);
  EXPECT_EQ(it->upstream().body, "ABCDef");
}

TEST_F(FilterInEnvoy, ChunksAreChangedOneByOne) {
  const auto it = stream(make("Changes", modes("STREAMED", "STREAMED")));
  it->request_headers(false);
  EXPECT_TRUE(it->upstream().headers);
  EXPECT_EQ(it->value(abi::kRequestHeaders, "content-length"), "");
  it->request_body("ab", false);
  EXPECT_EQ(it->upstream().body, "AB");
  it->request_body("cd", true);
  EXPECT_EQ(it->upstream().body, "ABCD");
}

TEST_F(FilterInEnvoy, WhatWaitsGoesOnOnTheWorker) {
  const auto it = stream(make("Waits", modes("STREAMED", "BUFFERED")));
  it->request_headers(false);
  it->request_body("ab", false);
  it->request_body("cd", false);
  EXPECT_FALSE(it->upstream().headers);
  ASSERT_TRUE(until([&] { return it->upstream().body == "ABCD"; })) << it->upstream().body;
  it->request_body("ef", false);
  it->request_trailers({{"x-t", "1"}});
  ASSERT_TRUE(until([&] { return it->upstream().ended; }));
  EXPECT_EQ(it->upstream().body, "ABCDEF");
  EXPECT_EQ(it->value(abi::kRequestTrailers, "x-end"), "request");
  it->response_headers({{":status", "200"}}, false);
  it->response_body("xyz", true);
  ASSERT_TRUE(until([&] { return it->downstream().ended; }));
  EXPECT_EQ(it->downstream().body, "XYZ");
  EXPECT_EQ(it->value(abi::kResponseHeaders, "x-seen"), "response");
  EXPECT_EQ(seen().other_thread, 0);
}

TEST_F(FilterInEnvoy, BlockingHandlersHoldNoWorkerUp) {
  const auto it = stream(make("Blocks"));
  it->request_headers(false);
  EXPECT_FALSE(it->upstream().headers);
  it->request_body("hello", true);
  ASSERT_TRUE(until([&] { return it->upstream().ended; }));
  EXPECT_EQ(it->upstream().body, "HELLO");
}

TEST_F(FilterInEnvoy, AHandlerOverAWholeBody) {
  const auto it = stream(make("Shouts"));
  it->request_headers(false);
  it->request_body("ab", false);
  ASSERT_TRUE(until([&] { return it->upstream().body == "AB"; }));
  it->request_body("cd", false);
  it->request_body("ef", true);
  ASSERT_TRUE(until([&] { return it->upstream().ended; }));
  EXPECT_EQ(it->upstream().body, "ABCDEF");
  it->response_headers({{":status", "200"}}, false);
  it->response_body("x", false);
  it->response_trailers({{"x-t", "1"}});
  ASSERT_TRUE(until([&] { return it->downstream().ended; }));
  EXPECT_EQ(it->downstream().body, "X");
  EXPECT_TRUE(it->downstream().trailers);
}

TEST_F(FilterInEnvoy, HeadersWaitForTheBody) {
  const auto it = stream(make("Decides"));
  it->request_headers(false);
  EXPECT_FALSE(it->upstream().headers);
  it->request_body("hello", true);
  ASSERT_TRUE(until([&] { return it->upstream().ended; }));
  EXPECT_EQ(it->value(abi::kRequestHeaders, "x-first"), "h");
  EXPECT_EQ(it->upstream().body, "hello");
}

TEST_F(FilterInEnvoy, AnswersInPlaceOfTheUpstream) {
  const auto it = stream(make("Refuses"));
  it->request_headers(true);
  ASSERT_TRUE(it->reply());
  EXPECT_EQ(it->reply()->status, 403);
  EXPECT_EQ(it->reply()->body, "denied");
  EXPECT_THAT(it->reply()->headers, Contains(std::pair<std::string, std::string>("x-why", "no")));
}

TEST_F(FilterInEnvoy, TellsCallersOfGrpcTheRightStatus) {
  const auto it = stream(make("Refuses"), {{"content-type", "application/grpc"}});
  it->request_headers(true);
  ASSERT_TRUE(it->reply());
  EXPECT_THAT(it->reply()->headers,
              Contains(std::pair<std::string, std::string>("grpc-status", "7")));
}

TEST_F(FilterInEnvoy, AHandlerThatFails) {
  const auto closed = stream(make("Throws"), {{"x-throw", "request_headers"}});
  closed->request_headers(true);
  ASSERT_TRUE(closed->reply());
  EXPECT_EQ(closed->reply()->status, 500);
  EXPECT_EQ(closed->reply()->details, "extproc_error_UNKNOWN");

  const auto other =
      stream(make("Throws", R"("status_on_error": {"code": 502})"), {{"x-throw", "request_body"}});
  other->request_headers(false);
  other->request_body("ab", true);
  ASSERT_TRUE(other->reply());
  EXPECT_EQ(other->reply()->status, 502);

  const auto open =
      stream(make("Throws", R"("failure_mode_allow": true, )" + modes("STREAMED", "NONE")),
             {{"x-throw", "request_body"}});
  open->request_headers(false);
  open->request_body("ab", false);
  open->request_body("cd", true);
  EXPECT_FALSE(open->reply());
  EXPECT_EQ(open->upstream().body, "abcd");
  open->response_headers({{":status", "200"}}, true);
  EXPECT_TRUE(open->downstream().ended);
}

TEST_F(FilterInEnvoy, AFallbackComesInTime) {
  const auto it = stream(make("Falls"));
  it->request_headers(true);
  ASSERT_TRUE(until([&] { return it->reply().has_value(); }));
  EXPECT_EQ(it->reply()->status, 504);
}

TEST_F(FilterInEnvoy, SeveralAreAChain) {
  const auto config = std::make_shared<Config>(
      R"({"processors": [{"name": "Looks"}, {"name": "Changes"}], "reveal_chain": false})");
  const auto it = stream(config);
  it->request_headers(true);
  EXPECT_EQ(it->value(abi::kRequestHeaders, "x-seen"), "request");
}

TEST_F(FilterInEnvoy, WhoOnlyLooksChangesNothing) {
  for (const char* processor : {"Changes", "Waits", "Blocks"}) {
    const auto it = stream(make(processor, R"("observability_mode": true)"));
    it->request_headers(false);
    EXPECT_TRUE(it->upstream().headers);
    it->request_body("ab", true);
    EXPECT_EQ(it->upstream().body, "ab");
    it->response_headers({{":status", "200"}}, true);
    EXPECT_EQ(it->value(abi::kResponseHeaders, "x-seen"), "") << processor;
    it->destroy();
  }
  EXPECT_TRUE(until([] { return seen().completed == 3; })) << seen().completed;
}

TEST_F(FilterInEnvoy, ARouteTurnsItOffOrHasAnother) {
  const auto config = make("Changes");
  const auto route = [](std::string_view text) {
    return EXTPROC_HOOK_NAME(http_filter_per_route_config_new)(abi::bytes(""), abi::bytes(text));
  };
  const void* off = route(R"({"disabled": true})");
  const void* other = route(R"({"processors": [{"name": "Refuses"}]})");
  ASSERT_NE(off, nullptr);
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(route(R"({"disabled": true, "x": 1})"), nullptr);
  const auto without = stream(config, {}, {.route = off});
  without->request_headers(true);
  EXPECT_EQ(without->value(abi::kRequestHeaders, "x-seen"), "");
  const auto refused = stream(config, {}, {.route = other});
  refused->request_headers(true);
  ASSERT_TRUE(refused->reply());
  without->destroy();
  refused->destroy();
  for (const void* each : {off, other})
    EXTPROC_HOOK_NAME(http_filter_per_route_config_destroy)(each);
}

TEST_F(FilterInEnvoy, ProcessorsStartAndStopWithTheConfiguration) {
  auto config = make("Starts");
  EXPECT_EQ(seen().starts, 1);
  config.reset();
  EXPECT_TRUE(until([] { return seen().stops == 1; }));
  set_validates(true);
  config = make("Starts");
  EXPECT_TRUE(config->taken());
  config.reset();
  set_validates(false);
  EXPECT_EQ(seen().starts, 1);
}

}  // namespace
}  // namespace extproc::fake
