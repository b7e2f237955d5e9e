// The filter in a fake Envoy: what goes on, what is answered, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "extproc/struct.h"
#include "filter/fake_envoy.h"
#include "filter/hook_declarations.h"
#include "filter/test_processors.h"

namespace extproc::fake {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

std::shared_ptr<Config> make(const std::string& processor, const std::string& more = "") {
  return std::make_shared<Config>("{\"processors\": [{\"name\": \"" + processor + "\"}]" +
                                  (more.empty() ? "" : ", " + more) + "}");
}

std::string modes(const std::string& request, const std::string& response) {
  return R"("processing_mode": {"request_body_mode": ")" + request +
         R"(", "response_body_mode": ")" + response +
         R"(", "request_trailer_mode": "SEND", "response_trailer_mode": "SEND"})";
}

class FilterInEnvoy : public ::testing::Test {
 protected:
  FilterInEnvoy() {
    seen().reset();
    take_log();
  }
  ~FilterInEnvoy() override {
    EXPECT_TRUE(worker_.run_until([] { return seen().handlers == 0 && schedulers() == 0; }));
  }

  std::shared_ptr<Stream> stream(const std::shared_ptr<Config>& config, Headers more = {}) {
    EXPECT_TRUE(config->taken()) << ::testing::PrintToString(take_log());
    Headers headers{{":method", "POST"}, {":path", "/a"}, {"content-length", "5"}};
    headers.insert(headers.end(), more.begin(), more.end());
    return Stream::make(worker_, config, std::move(headers));
  }
  bool until(const std::function<bool()>& done) { return worker_.run_until(done); }

  Worker worker_;
};

TEST_F(FilterInEnvoy, TellsEnvoyWhatIsCounted) {
  const std::uint64_t started = statistic("streams_started");
  const std::uint64_t messages = statistic("messages");
  const std::uint64_t open = statistic("streams_open");
  const auto it = stream(make("Changes"));
  it->request_headers(true);
  it->response_headers({{":status", "200"}}, true);
  it->destroy();
  EXPECT_EQ(statistic("streams_started"), started + 1);
  EXPECT_EQ(statistic("messages"), messages + 2);
  EXPECT_EQ(statistic("streams_open"), open);
}

TEST_F(FilterInEnvoy, MetadataGoBothWays) {
  const auto it = stream(
      make("Notes", R"("metadata_options": {"forwarding_namespaces": {"untyped": ["route"]}})"));
  it->metadata["route"]["team"] = "edge";
  it->request_headers(true);
  EXPECT_EQ(it->value(abi::kRequestHeaders, "x-team"), "edge");
  ASSERT_EQ(it->set_metadata.size(), 1U);
  EXPECT_EQ(it->set_metadata[0].first, "notes");
  EXPECT_EQ(it->set_metadata[0].second, Struct().set("team", "edge").bytes());
}

TEST_F(FilterInEnvoy, ItsSpansAreChildrenOfEnvoys) {
  const auto it = stream(
      make("Notes"), {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}});
  it->span = std::make_unique<Span>();
  it->request_headers(true);
  ASSERT_EQ(it->spans.size(), 1U);
  const Span& span = *it->spans[0];
  EXPECT_EQ(span.name, "process.request_headers");
  EXPECT_EQ(span.parent, it->span.get());
  EXPECT_TRUE(span.finished);
  EXPECT_EQ(span.tags, (std::map<std::string, std::string>{{"extproc.processor", "Notes"},
                                                           {"extproc.phase", "request_headers"},
                                                           {"extproc.outcome", "answered"}}));
  EXPECT_EQ(it->value(abi::kRequestHeaders, "x-parent"),
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01");
}

TEST_F(FilterInEnvoy, WithoutEnvoysSpanThereIsNone) {
  const auto it = stream(make("Notes"));
  it->request_headers(true);
  EXPECT_TRUE(it->spans.empty());
  EXPECT_EQ(it->value(abi::kRequestHeaders, "x-parent"), "none");
}

TEST_F(FilterInEnvoy, SpansOfHandlersThatStillWaitEndWithTheStream) {
  const auto it = stream(make("Waits"), {{"x-ms", "20"}});
  it->span = std::make_unique<Span>();
  it->request_headers(true);
  ASSERT_EQ(it->spans.size(), 1U);
  EXPECT_FALSE(it->spans[0]->finished);
  it->destroy();
  EXPECT_TRUE(it->spans[0]->finished);
}

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
  const auto it = stream(make("Changes"));
  it->buffer_limit = 10;
  it->request_headers(false);
  it->request_body("0123456789abc", false);
  ASSERT_TRUE(it->reply());
  EXPECT_EQ(it->reply()->status, 413U);
}

TEST_F(FilterInEnvoy, APartOfABodyIsChangedAndTheRestGoesOn) {
  const auto it = stream(make("Changes", modes("BUFFERED_PARTIAL", "NONE")));
  it->buffer_limit = 4;
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
  EXPECT_EQ(it->reply()->status, 403U);
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
  EXPECT_EQ(closed->reply()->status, 500U);
  EXPECT_EQ(closed->reply()->details, "extproc_error_UNKNOWN");

  const auto other =
      stream(make("Throws", R"("status_on_error": {"code": 502})"), {{"x-throw", "request_body"}});
  other->request_headers(false);
  other->request_body("ab", true);
  ASSERT_TRUE(other->reply());
  EXPECT_EQ(other->reply()->status, 502U);

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
  EXPECT_EQ(it->reply()->status, 504U);
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
  const auto without = stream(config);
  without->set_route(off);
  without->request_headers(true);
  EXPECT_EQ(without->value(abi::kRequestHeaders, "x-seen"), "");
  const auto refused = stream(config);
  refused->set_route(other);
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

struct Refused {
  const char* name;
  const char* config;
  const char* why;
};

class ConfigIsRefused : public ::testing::TestWithParam<Refused> {};

TEST_P(ConfigIsRefused, WithItsReason) {
  take_log();
  const Config config(GetParam().config);
  EXPECT_FALSE(config.taken());
  EXPECT_THAT(take_log(), Contains(AllOf(HasSubstr("extproc: "), HasSubstr(GetParam().why))));
}

INSTANTIATE_TEST_SUITE_P(
    All, ConfigIsRefused,
    ::testing::Values(
        Refused{"nothing", "", "names no processor"},
        Refused{"no_json", "{\"processors\": [}", "it is no JSON"},
        Refused{"no_mapping", "[1]", "must be a mapping"},
        Refused{"twice", R"({"a": 1, "a": 2})", "a is given twice"},
        Refused{"unknown_key", R"({"processors": [{"name": "Looks"}], "procesing_mode": {}})",
                "did you mean \"processing_mode\"?"},
        Refused{"unknown_processor", R"({"processors": [{"name": "Nobody"}]})",
                "exports no Nobody"},
        Refused{"no_module", R"({"processors": [{"name": "absent.Nobody"}]})",
                "there is no module absent"},
        Refused{
            "full_duplex",
            R"({"processors": [{"name": "Shouts"}], "processing_mode": {"request_body_mode": "FULL_DUPLEX_STREAMED"}})",
            "use STREAMED"},
        Refused{"needs_full_duplex", R"({"processors": [{"name": "States"}]})",
                "STREAMED where that suits it"},
        Refused{
            "observed_buffer",
            R"({"processors": [{"name": "Looks"}], "observability_mode": true, "processing_mode": {"request_body_mode": "BUFFERED"}})",
            "must be STREAMED or NONE"},
        Refused{"grpc_service", R"({"processors": [{"name": "Looks"}], "grpc_service": {}})",
                "is for ext_proc"},
        Refused{"message_timeout",
                R"({"processors": [{"name": "Looks"}], "message_timeout": "1s"})",
                "fall_back_after"},
        Refused{"own_missing", R"({"processors": [{"name": "Own"}]})", "number is missing"},
        Refused{"own_not_taken", R"({"processors": [{"name": "Looks", "settings": {"a": 1}}]})",
                "takes no settings"},
        Refused{"start", R"({"processors": [{"name": "Cannot"}]})", "no keys"},
        Refused{"header", R"({"processors": [{"name": "Looks"}], "applied_header": "host"})",
                "applied_header is \"host\""}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace extproc::fake
