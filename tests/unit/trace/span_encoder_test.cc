#include "trace/span_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "extproc/version.h"
#include "trace/decode.h"
#include "trace/ids.h"
#include "trace/resource.h"

namespace extproc::trace {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

template <class Id>
std::string bytes_of(const Id& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

std::string written(const SpanParts& parts) {
  std::string bytes(span_size(parts), '?');
  EXPECT_EQ(write_span(bytes.data(), parts), bytes.data() + bytes.size());
  return bytes;
}

TEST(SpanEncoder, WritesAllOfASpan) {
  IdGenerator ids(1);
  TraceContext context{
      .trace_id = ids.trace_id(), .span_id = ids.span_id(), .flags = 3, .tracestate = "a=1,b=2"};
  const auto parent = ids.span_id();
  SpanFields common;
  common.name("process").kind(SpanKind::server).attribute("text", "x").attribute("number", 404);
  SpanFields own;
  own.attribute("negative", -1).error("why");
  SpanFields events;
  events.event(7, "first", "k", "v").event(8, "second", "k", "");
  const auto spans = decode_spans(written({.context = context,
                                           .parent = &parent,
                                           .parent_is_remote = true,
                                           .start = 1'700'000'000'000'000'001,
                                           .end = 1'700'000'000'000'000'002,
                                           .common = common.bytes(),
                                           .own = own.bytes(),
                                           .events = events.bytes()}));
  ASSERT_EQ(spans.size(), 1U);
  const DecodedSpan& span = spans.front();
  EXPECT_EQ(span.trace_id, bytes_of(context.trace_id));
  EXPECT_EQ(span.span_id, bytes_of(context.span_id));
  EXPECT_EQ(span.parent, bytes_of(parent));
  EXPECT_EQ(span.state, "a=1,b=2");
  EXPECT_EQ(span.name, "process");
  EXPECT_EQ(span.kind, 2);
  EXPECT_EQ(span.start, 1'700'000'000'000'000'001U);
  EXPECT_EQ(span.end, 1'700'000'000'000'000'002U);
  EXPECT_EQ(span.flags, 0x303U);
  EXPECT_THAT(span.attributes, UnorderedElementsAre(Pair("text", "x"), Pair("number", "404"),
                                                    Pair("negative", "-1")));
  EXPECT_EQ(span.status, 2);
  EXPECT_EQ(span.status_message, "why");
  ASSERT_EQ(span.events.size(), 2U);
  EXPECT_EQ(span.events[0].time, 7U);
  EXPECT_EQ(span.events[0].name, "first");
  EXPECT_THAT(span.events[0].attributes, ElementsAre(Pair("k", "v")));
  EXPECT_EQ(span.events[1].name, "second");
}

TEST(SpanEncoder, WritesTheLeastOfASpan) {
  const TraceContext context{.trace_id = {1}, .span_id = {2}};
  const auto spans = decode_spans(written({.context = context}));
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0].parent, "");
  EXPECT_EQ(spans[0].state, "");
  EXPECT_EQ(spans[0].status, 0);
  EXPECT_EQ(spans[0].flags, 0x100U);
}

// A span of 127, 128 and so on bytes has another size of its length.
TEST(SpanEncoder, SizesFitAtEveryLength) {
  const TraceContext context{.trace_id = {1}, .span_id = {2}};
  for (std::size_t size = 0; size < 300; ++size) {
    SpanFields common;
    common.name(std::string(size, 'n').substr(0, 200));
    SpanFields own;
    if (size > 200) own.attribute("k", std::string(size - 200, 'v'));
    const auto spans =
        decode_spans(written({.context = context, .common = common.bytes(), .own = own.bytes()}));
    ASSERT_EQ(spans.size(), 1U) << size;
    EXPECT_EQ(spans[0].name.size(), std::min<std::size_t>(size, 200));
  }
}

TEST(ValidText, IsUtf8AndNoLonger) {
  for (const auto& [given, valid] :
       {std::pair<std::string, std::string>{"plain", "plain"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"a\xff"
         "b\xc3",
         "a?b?"},
        {"\xc0\xaf", "??"},
        {"\xed\xa0\x80", "???"},
        {"\xe0\x80\x80", "???"},
        {"\xf4\x90\x80\x80", "????"},
        {"\xf5", "?"},
        {std::string("\0x", 2), std::string("\0x", 2)}}) {
    EXPECT_EQ(valid_text(given), valid);
  }
  EXPECT_EQ(valid_text("abc", 2), "ab");
  EXPECT_EQ(valid_text("a\xc3\xa4", 2), "a");
}

TEST(RequestFrame, SaysWhereSpansComeFrom) {
  TraceSettings settings;
  settings.service_name = "my service";
  settings.resource_attributes = {{"k8s.pod.name", "p"}, {"telemetry.sdk.name", "other"}};
  const RequestFrame frame(settings);
  const TraceContext context{.trace_id = {1}, .span_id = {2}};
  for (const int count : {0, 1, 2, 1000}) {
    std::string spans;
    for (int i = 0; i < count; ++i) spans += written({.context = context});
    const DecodedRequest request = decode_request(frame.before(spans.size()) + spans);
    EXPECT_THAT(request.resource,
                UnorderedElementsAre(Pair("service.name", "my service"),
                                     Pair("telemetry.sdk.language", "cpp"),
                                     Pair("telemetry.sdk.name", "extproc"),
                                     Pair("telemetry.sdk.version", EXTPROC_VERSION_STRING),
                                     Pair("k8s.pod.name", "p")));
    EXPECT_EQ(request.scope, "extproc " EXTPROC_VERSION_STRING);
    EXPECT_EQ(request.spans.size(), static_cast<std::size_t>(count));
  }
}

TEST(RequestFrame, AServiceWithoutANameHasItsPrograms) {
  const RequestFrame frame{TraceSettings()};
  EXPECT_EQ(decode_request(frame.before(0)).resource.at("service.name"),
            "unknown_service:trace_test");
}

TEST(ReadResponse, FindsWhatWasNotTaken) {
  EXPECT_EQ(read_response("").spans, 0U);
  const Refused some =
      read_response(std::string("\x0a\x08\x08\x05\x12\x04"
                                "full",
                                10));
  EXPECT_EQ(some.spans, 5U);
  EXPECT_EQ(some.why, "full");
  // A negative number, what is no message, and fields that are not known.
  EXPECT_EQ(read_response("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").spans, 0U);
  EXPECT_EQ(read_response("{\"partialSuccess\":{}}").spans, 0U);
  EXPECT_EQ(read_response("\x0a\x06\x18\x01\x08\x02\x20\x03").spans, 2U);
}

}  // namespace
}  // namespace extproc::trace
