// The filter in a fake Envoy: what is counted, metadata, and spans.
#include <map>
#include <memory>
#include <string>

#include "extproc/struct.h"
#include "filter/filter_in_envoy.h"

namespace extproc::fake {
namespace {

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

}  // namespace
}  // namespace extproc::fake
