#include "trace/traceparent.h"

#include <gtest/gtest.h>

#include <string>

#include "trace/ids.h"
#include "trace/parent.h"

namespace extproc::trace {
namespace {

const std::string kId = "0af7651916cd43dd8448eb211c80319c";
const std::string kSpan = "b7ad6b7169203331";
const std::string kGood = "00-" + kId + "-" + kSpan + "-01";

std::string with_char(std::size_t at, char c) {
  std::string text = kGood;
  text[at] = c;
  return text;
}

TEST(Traceparent, IsReadAndWritten) {
  const auto context = parse_traceparent(kGood);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id_text(), kId);
  EXPECT_EQ(context->span_id_text(), kSpan);
  EXPECT_TRUE(context->sampled());
  EXPECT_EQ(context->traceparent(), kGood);
}

TEST(Traceparent, FlagsThatAreNotKnownAreLeftOut) {
  for (const auto& [flags, kept] : {std::pair("00", "00"),
                                    {"01", "01"},
                                    {"02", "02"},
                                    {"03", "03"},
                                    {"ff", "03"},
                                    {"0c", "00"}}) {
    const auto context = parse_traceparent("00-" + kId + "-" + kSpan + "-" + flags);
    ASSERT_TRUE(context) << flags;
    EXPECT_EQ(context->traceparent(), "00-" + kId + "-" + kSpan + "-" + kept);
  }
}

TEST(Traceparent, LaterVersionsMayHaveMore) {
  const std::string rest = "-" + kId + "-" + kSpan + "-01";
  for (const char* version : {"01", "cc", "fe"}) {
    EXPECT_TRUE(parse_traceparent(version + rest)) << version;
    EXPECT_TRUE(parse_traceparent(version + rest + "-what-the-future-brings")) << version;
    EXPECT_FALSE(parse_traceparent(version + rest + "x")) << version;
  }
  EXPECT_EQ(parse_traceparent("cc" + rest + "-x")->traceparent(), kGood);
  EXPECT_FALSE(parse_traceparent("00" + rest + "-x"));
  EXPECT_FALSE(parse_traceparent("ff" + rest));
}

TEST(Traceparent, IsStrict) {
  const std::string zeros(32, '0');
  for (const std::string& bad : {std::string(),
                                 std::string("00"),
                                 kGood.substr(1),
                                 kGood + "0",
                                 kGood + " ",
                                 " " + kGood,
                                 "00-" + zeros + "-" + kSpan + "-01",
                                 "00-" + kId + "-" + zeros.substr(16) + "-01",
                                 with_char(0, 'g'),
                                 with_char(1, ' '),
                                 with_char(2, '_'),
                                 with_char(3, 'A'),
                                 with_char(20, 'F'),
                                 with_char(34, '/'),
                                 with_char(35, '0'),
                                 with_char(36, ':'),
                                 with_char(51, '`'),
                                 with_char(52, '='),
                                 with_char(53, 'x'),
                                 with_char(54, 'G'),
                                 with_char(40, '\0')}) {
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
  }
}

TEST(Tracestate, IsWhatW3CHasItBe) {
  std::string members;
  for (int i = 0; i < 32; ++i) members += (i == 0 ? "k" : ",k") + std::to_string(i) + "=v";
  for (const std::string& good :
       {std::string(), std::string("a=1"), std::string("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        std::string("a=1 , \tb=2"), std::string("a=1,,b=2,"), std::string("1a-_*/z@9b=~!x y"),
        std::string("t@v=x"), members, "a=" + std::string(256, 'x')}) {
    EXPECT_TRUE(is_tracestate(good)) << good;
  }
  for (const std::string& bad :
       {std::string("a"), std::string("=1"), std::string("a="), std::string("A=1"),
        std::string("a=1,a=2"), std::string("_a=1"), std::string("a b=1"), std::string("a=b=c"),
        std::string("a=\x7f"), std::string("a=\xc3\xa4"), std::string("a@b@c=1"),
        std::string("a@=1"), members + ",one=more", "a=" + std::string(257, 'x'),
        "a=" + std::string(255, 'x') + ",b=" + std::string(256, 'x')}) {
    EXPECT_FALSE(is_tracestate(bad)) << bad;
  }
}

TEST(ParentOfRequest, IsFoundAmongHeaders) {
  Parent parent;
  for (const auto& [name, value] : {std::pair(":path", "/"),
                                    {"traceparent", kGood.c_str()},
                                    {"tracestat2", "x=1"},
                                    {"tracestate", "b=2"},
                                    {"x-request", "1"},
                                    {"traceparenz", "1"},
                                    {"tracestate", "a=1"}})
    parent.take(name, value);
  ASSERT_TRUE(parent.context());
  EXPECT_EQ(parent.context()->traceparent(), kGood);
  EXPECT_EQ(parent.context()->tracestate, "b=2,a=1");
}

TEST(ParentOfRequest, TwoAreNone) {
  Parent parent;
  parent.take("traceparent", kGood);
  parent.take("traceparent", kGood);
  EXPECT_FALSE(parent.context());
}

TEST(ParentOfRequest, AStateThatIsNoneIsLeftOut) {
  Parent parent;
  parent.take("tracestate", "no state");
  parent.take("traceparent", kGood);
  EXPECT_EQ(parent.context()->tracestate, "");
  Parent none;
  none.take("tracestate", "a=1");
  EXPECT_FALSE(none.context());
}

TEST(Ids, DifferAndAreReproduced) {
  IdGenerator one(7);
  IdGenerator same(7);
  IdGenerator other;
  EXPECT_EQ(one.trace_id(), same.trace_id());
  EXPECT_EQ(one.span_id(), same.span_id());
  EXPECT_NE(one.trace_id(), other.trace_id());
  EXPECT_NE(one.span_id(), one.span_id());
}

}  // namespace
}  // namespace extproc::trace
