// Mode overrides: those that a handler asks for, and the automatic one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "async_fixture.h"

namespace extproc::stream {
namespace {

using enum Phase;

constexpr BodySendMode kNone = BodySendMode::none;
constexpr BodySendMode kBuffered = BodySendMode::buffered;
constexpr BodySendMode kStreamed = BodySendMode::streamed;
constexpr BodySendMode kDuplex = BodySendMode::full_duplex_streamed;

struct Row {
  const char* name;
  PhaseSet handled;
  const char* chain;
  std::optional<ProtocolConfiguration> config;
  const char* sent;  // besides "request_headers"
};

const Row kRows[] = {
    {"NothingMore",
     {request_headers},
     "",
     ProtocolConfiguration{kBuffered, kBuffered, false},
     " mode{response_headers=2 request_body=0 response_body=0 request_trailers=2 "
     "response_trailers=2}"},
    {"TheChainNeedsResponseHeaders",
     {request_headers},
     "x-chain",
     ProtocolConfiguration{kBuffered, kBuffered, false},
     " mode{request_body=0 response_body=0 request_trailers=2 response_trailers=2}"},
    {"OneBody",
     {request_headers, request_body},
     "",
     ProtocolConfiguration{kBuffered, kStreamed, false},
     " mode{response_headers=2 request_body=2 response_body=0 request_trailers=2 "
     "response_trailers=2}"},
    {"AResponseBodyKeepsItsHeaders",
     {request_headers, response_body},
     "",
     ProtocolConfiguration{kBuffered, kStreamed, false},
     " mode{request_body=0 response_body=1 request_trailers=2 response_trailers=2}"},
    {"Trailers",
     {request_trailers, response_headers},
     "",
     ProtocolConfiguration{kBuffered, kNone, false},
     " mode{request_body=0 response_body=0 response_trailers=2}"},
    {"AllThatIsSentIsHandled",
     {request_headers, request_body, response_headers, response_body},
     "",
     ProtocolConfiguration{kBuffered, kBuffered, false},
     ""},
    {"OnlyResponseHeadersToSkip",
     {request_headers},
     "",
     ProtocolConfiguration{kNone, kNone, false},
     " mode{response_headers=2 request_body=0 response_body=0 request_trailers=2 "
     "response_trailers=2}"},
    {"FullDuplexRequest",
     {request_headers},
     "",
     ProtocolConfiguration{kDuplex, kBuffered, false},
     ""},
    {"FullDuplexResponse",
     {request_headers},
     "",
     ProtocolConfiguration{kBuffered, kDuplex, false},
     ""},
    {"BodiesThatDoNotWait",
     {request_headers},
     "",
     ProtocolConfiguration{kStreamed, kBuffered, true},
     ""},
    {"Unknown", {request_headers}, "", std::nullopt, ""},
};

class AutomaticOverride : public ::testing::TestWithParam<Row> {};

TEST_P(AutomaticOverride, AsksForWhatIsHandled) {
  const Row& row = GetParam();
  AsyncFixture f(handlers_of(row.handled), row.chain);
  f.settings.automatic_mode_override = true;
  f.settings.early_end = false;
  f.config = row.config;
  f.headers(request_headers);
  EXPECT_THAT(f.sent, ::testing::ElementsAre("request_headers" + std::string(row.sent)));
  EXPECT_TRUE(f.violations.empty());
  // Once: not with the response's headers.
  f.headers(response_headers);
  EXPECT_THAT(f.sent.back(), ::testing::Not(::testing::HasSubstr("mode")));
}

TEST_P(AutomaticOverride, IsOffByDefault) {
  AsyncFixture f(handlers_of(GetParam().handled), GetParam().chain);
  f.config = GetParam().config;
  f.headers(request_headers);
  EXPECT_THAT(f.sent, ::testing::ElementsAre("request_headers"));
}

INSTANTIATE_TEST_SUITE_P(Table, AutomaticOverride, ::testing::ValuesIn(kRows),
                         [](const auto& tested) { return tested.param.name; });

std::string overridden(const ModeOverride& mode, std::optional<ProtocolConfiguration> config) {
  auto service = handlers();
  service->process<request_headers>(
      [&](auto&, auto&, auto&, HeadersResponse& r) { r.override_mode(mode); });
  AsyncFixture f(service);
  f.settings.automatic_mode_override = true;
  f.config = config;
  f.headers(request_headers);
  EXPECT_TRUE(f.violations.empty());
  return f.sent.empty() ? "" : f.sent.front();
}

TEST(ModeOverride, OfAHandlerIsSentAsItIsWithTheModesThatItLeavesOut) {
  const ProtocolConfiguration config{kStreamed, kBuffered, false};
  EXPECT_EQ(overridden({.response_header_mode = HeaderSendMode::skip}, config),
            "request_headers mode{response_headers=2 request_body=1 response_body=2}");
  EXPECT_EQ(overridden({.request_body_mode = kNone}, config),
            "request_headers mode{request_body=0 response_body=2}");
  EXPECT_EQ(overridden({.request_body_mode = kBuffered, .response_body_mode = kNone}, std::nullopt),
            "request_headers mode{request_body=2 response_body=0}");
  EXPECT_EQ(overridden({.request_trailer_mode = HeaderSendMode::send,
                        .response_trailer_mode = HeaderSendMode::skip,
                        .request_header_mode = HeaderSendMode::send},
                       config),
            "request_headers mode{request_headers=1 request_body=1 response_body=2 "
            "request_trailers=1 response_trailers=2}");
}

// The modes that are asked for are those that answers to bodies follow from then on.
TEST(ModeOverride, ChangesTheFormOfLaterAnswers) {
  auto service = handlers();
  service->process<request_headers>([](auto&, auto&, auto&, HeadersResponse& r) {
    r.override_mode({.request_body_mode = kBuffered});
  });
  service->process<request_body>([](auto&, auto&, auto&, BodyResponse& r) {
    r.replace_body("new");
    r.set_header("x-a", "1");
  });
  AsyncFixture f(service);
  f.config = ProtocolConfiguration{kStreamed, kNone, false};
  f.headers(request_headers, false, {{"content-length", "2"}});
  f.body(request_body, "ol", true);
  EXPECT_EQ(f.sent.back(), "request_body set x-a=1 set content-length=3 body=\"new\"");
  EXPECT_TRUE(f.violations.empty());
}

}  // namespace
}  // namespace extproc::stream
