#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "exchange/direction.h"
#include "stream_fixture.h"

namespace extproc::stream {
namespace {

using testing::envoy_set_headers_to_dict;

struct Length {
  const char* name;
  std::optional<ProtocolConfiguration> config;
  bool headers;
  bool end_of_stream;
  Handler change;
  const char* expected;  // null: left alone
};

class ContentLength : public ::testing::TestWithParam<Length> {};

TEST_P(ContentLength, IsRightWhereEnvoyComparesIt) {
  const Length& c = GetParam();
  Fixture f(c.change, {Phase::request_body});
  const ProtocolConfiguration* config = c.config ? &*c.config : nullptr;
  if (c.headers) f.headers(Phase::request_headers, {{"content-length", "7"}}, config);
  f.body(Phase::request_body, "1234567", c.end_of_stream, c.headers ? nullptr : config);
  const auto set = envoy_set_headers_to_dict(f.sink.answers.back());
  if (c.expected == nullptr) {
    EXPECT_FALSE(set.contains("content-length"));
  } else {
    ASSERT_TRUE(set.contains("content-length"));
    EXPECT_EQ(set.at("content-length"), c.expected);
  }
}

const Handler kReplace = [](detail::Invocation& i) {
  i.body_response->replace_body("12345678901");
  return detail::Step::done;
};
const Handler kReplaceWithWrongLength = [](detail::Invocation& i) {
  i.body_response->replace_body("12345678901");
  i.body_response->set_header("Content-Length", "3");
  return detail::Step::done;
};
const Handler kClear = [](detail::Invocation& i) {
  i.body_response->clear_body();
  return detail::Step::done;
};
constexpr ProtocolConfiguration kBuffered{BodySendMode::buffered, BodySendMode::none, false};
constexpr ProtocolConfiguration kPartial{BodySendMode::buffered_partial, BodySendMode::none, false};
constexpr ProtocolConfiguration kStreamed{BodySendMode::streamed, BodySendMode::none, false};

INSTANTIATE_TEST_SUITE_P(
    Table, ContentLength,
    ::testing::Values(Length{"Buffered", kBuffered, true, true, kReplace, "11"},
                      Length{"BufferedWithTrailers", kBuffered, true, false, kReplace, "11"},
                      Length{"HandlersOwnIsCorrected", kBuffered, true, true,
                             kReplaceWithWrongLength, "11"},
                      Length{"Cleared", kBuffered, true, true, kClear, "0"},
                      Length{"Unchanged", kBuffered, true, true, nothing, nullptr},
                      Length{"HeadersSkipped", kBuffered, false, true, kReplace, nullptr},
                      Length{"Partial", kPartial, true, true, kReplace, nullptr},
                      Length{"Streamed", kStreamed, true, true, kReplace, nullptr},
                      Length{"UnknownAndWhole", std::nullopt, true, true, kReplace, "11"},
                      Length{"UnknownAndAPart", std::nullopt, true, false, kReplace, nullptr}),
    [](const auto& tested) { return tested.param.name; });

TEST(ProcessStream, ALargeBodyEndsItsMessage) {
  static const std::string kLarge(100'000, 'x');
  const Handler replace = [](detail::Invocation& i) {
    i.body_response->replace_body(kLarge);
    i.body_response->set_header("x-a", "1");
    i.body_response->clear_route_cache();
    return detail::Step::done;
  };
  Fixture f(replace, {Phase::request_body});
  f.headers(Phase::request_headers, {{"content-length", "7"}}, &kBuffered);
  f.body(Phase::request_body, "1234567", true);
  const testing::ProcessingResponse& answer = f.sink.answers.back();
  EXPECT_EQ(answer.body, kLarge);
  EXPECT_TRUE(answer.clear_route_cache);
  const auto set = envoy_set_headers_to_dict(answer);
  EXPECT_EQ(set.at("x-a"), "1");
  EXPECT_EQ(set.at("content-length"), "100000");
}

TEST(ProcessStream, StreamsBodiesInFullDuplex) {
  const ProtocolConfiguration config{BodySendMode::full_duplex_streamed, BodySendMode::none, false};
  Fixture keep(nothing, {});
  keep.body(Phase::request_body, "kept", true, &config);
  EXPECT_EQ(keep.sink.answers[0].body, "kept");
  Fixture change(kReplace);
  change.body(Phase::request_body, "lost", true, &config);
  EXPECT_EQ(change.sink.answers[0].body, "12345678901");
  Fixture clear(kClear);
  clear.body(Phase::request_body, "lost", true, &config);
  EXPECT_EQ(clear.sink.answers[0].body, "");
}

}  // namespace
}  // namespace extproc::stream
