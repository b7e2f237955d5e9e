// The filter in a fake Envoy: what is counted, metadata, and spans.
#include <map>
#include <memory>
#include <string>

#include "extproc/struct.h"
#include "filter/filter_in_envoy.h"

namespace extproc::fake {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

TEST_F(FilterInEnvoy, TellsEnvoyWhatIsCounted) {
  const auto config = make("Changes");
  const auto it = stream(config);
  it->request_headers(true);
  it->response_headers({{":status", "200"}}, true);
  it->destroy();
  EXPECT_EQ(config->statistic("streams_started"), 1U);
  EXPECT_EQ(config->statistic("messages"), 2U);
  EXPECT_EQ(config->statistic("streams_open"), 0U);
}

TEST_F(FilterInEnvoy, MetadataGoBothWays) {
  const auto it = stream(
      make("Notes", R"("metadata_options": {"forwarding_namespaces": {"untyped": ["route"]}})"), {},
      {.exchange = {.dynamic_metadata = {{"route", {{"team", "edge"}}}}}});
  it->request_headers(true);
  EXPECT_EQ(it->value(abi::kRequestHeaders, "x-team"), "edge");
  const auto& taken = it->filter().metadata().taken();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken.begin()->first, "notes");
  EXPECT_EQ(taken.begin()->second.bytes(), Struct().set("team", "edge").bytes());
}

TEST_F(FilterInEnvoy, ItsSpansAreChildrenOfEnvoys) {
  const auto it = stream(
      make("Notes"), {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}});
  it->filter().span = std::make_unique<Span>();
  it->request_headers(true);
  ASSERT_EQ(it->filter().spans.size(), 1U);
  const Span& span = *it->filter().spans[0];
  EXPECT_EQ(span.name, "process.request_headers");
  EXPECT_EQ(span.parent, it->filter().span.get());
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
  EXPECT_TRUE(it->filter().spans.empty());
  EXPECT_EQ(it->value(abi::kRequestHeaders, "x-parent"), "none");
}

TEST_F(FilterInEnvoy, SpansOfHandlersThatStillWaitEndWithTheStream) {
  const auto it = stream(make("Waits"), {{"x-ms", "20"}});
  it->filter().span = std::make_unique<Span>();
  it->request_headers(true);
  ASSERT_EQ(it->filter().spans.size(), 1U);
  EXPECT_FALSE(it->filter().spans[0]->finished);
  it->destroy();
  EXPECT_TRUE(it->filter().spans[0]->finished);
}

TEST_F(FilterInEnvoy, WhoCalledIsTold) {
  for (const char* processor : {"Misuses", "MisusesLater"}) {
    const auto it = stream(make(processor));
    it->request_headers(true);
    EXPECT_TRUE(until([&] { return it->upstream().ended; }));
    EXPECT_EQ(it->value(abi::kRequestHeaders, "x-peer"), "192.0.2.1:1234") << processor;
    it->destroy();
  }
}

class FilterTellsRules : public FilterInEnvoy {
 protected:
  /// How many rules a request breaks, and what is logged of that.
  std::uint64_t broken(const std::shared_ptr<Config>& config, const std::string& what) {
    const std::uint64_t before = config->statistic("misused_answers");
    kit::take_envoy_log();
    const auto it = stream(config, {{"x-what", what}, {"x-a", "1"}});
    it->request_headers(true);
    last_a = it->value(abi::kRequestHeaders, "x-a");
    it->destroy();
    return config->statistic("misused_answers") - before;
  }

  std::string last_a;
};

TEST_F(FilterTellsRules, OfEmptyValues) {
  const auto config = make("Misuses");
  EXPECT_EQ(broken(config, "set"), 1U);
  EXPECT_EQ(last_a, "");
  EXPECT_THAT(kit::take_envoy_log(), Contains(AllOf(HasSubstr("header_empty"), HasSubstr("x-a"))));
  EXPECT_EQ(broken(config, "append"), 1U);
  EXPECT_EQ(last_a, "1");
  // What is left out for another reason was not removed.
  EXPECT_EQ(broken(config, "set host"), 1U);
  EXPECT_EQ(broken(config, "nothing"), 0U);
  EXPECT_EQ(last_a, "1");
}

TEST_F(FilterTellsRules, OfWhatOnlyACallHas) {
  const auto config = make("Misuses");
  EXPECT_EQ(broken(config, "deadline"), 1U);
  EXPECT_THAT(kit::take_envoy_log(),
              Contains(AllOf(HasSubstr("call_missing"), HasSubstr("deadline"))));
  EXPECT_EQ(broken(config, "metadata"), 1U);
  EXPECT_EQ(broken(config, "all metadata"), 1U);
  EXPECT_EQ(broken(config, "peer_certificate"), 1U);
  EXPECT_EQ(broken(config, "nothing"), 0U);
}

TEST_F(FilterTellsRules, OfTheProcessorOfAChainThatBrokeOne) {
  const auto config = std::make_shared<Config>(
      R"({"processors": [{"name": "Looks"}, {"name": "Misuses"}, {"name": "Changes"}]})");
  EXPECT_EQ(broken(config, "deadline"), 1U);
  EXPECT_THAT(kit::take_envoy_log(),
              Contains(AllOf(HasSubstr("call_missing"), HasSubstr("Misuses"))));
  EXPECT_EQ(broken(config, "set"), 1U);
}

}  // namespace
}  // namespace extproc::fake
