// Where the answer to headers does not wait for the handler over the body.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "held_headers.h"

namespace extproc::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using enum Phase;

// The same handler: headers go with the body, at once, or not at all.
TEST(HeldHeaders, AreNotHeldInOtherModes) {
  struct {
    ProtocolConfiguration config;
    std::vector<std::string> sent;
    std::vector<Rule> told;
  } const rows[] = {
      {kBuffered, {"request_headers set a=1", "request_body set x-model=one! route"}, {}},
      {every(BodySendMode::buffered_partial),
       {"request_headers set a=1", "request_body set x-model=one! route"},
       {}},
      {kStreamed,
       {"request_headers set a=1", "request_body"},
       {Rule::body_not_awaited, Rule::body_header_mutation, Rule::clear_route_cache}},
      {every(BodySendMode::none), {"request_headers set a=1"}, {Rule::body_not_awaited}},
  };
  for (const auto& row : rows) {
    AsyncFixture f(Holding().service());
    f.config = row.config;
    f.settings.early_end = false;
    f.headers(request_headers);
    EXPECT_EQ(f.sent.size(), 1U);
    if (row.sent.size() > 1) f.body(request_body, "one!", true);
    EXPECT_EQ(f.sent, row.sent);
    EXPECT_EQ(rules_told(f), row.told);
  }
}

TEST(HeldHeaders, NeedAHandlerOverTheWholeBody) {
  auto service = handlers();
  service->process<request_headers>([](auto&, auto&, auto&, auto& r) { r.wait_for_body(); });
  service->process<request_body>([](auto&, auto&, auto&, auto&) {});
  AsyncFixture f(service);
  f.config = kFullDuplex;
  f.headers(request_headers);
  EXPECT_THAT(f.sent, ElementsAre("request_headers"));
  EXPECT_THAT(rules_told(f), ElementsAre(Rule::body_not_awaited));
}

TEST(HeldHeaders, AreNotHeldWhereBothEndsSendWhenTheyLike) {
  const testing::HeaderList rows[] = {
      {{":method", "CONNECT"}},
      {{":method", "GET"}, {"connection", "upgrade"}, {"upgrade", "websocket"}},
      {{":method", "POST"}, {"content-type", "application/grpc"}},
      {{":method", "POST"}, {"content-type", "application/grpc+proto"}},
  };
  for (const auto& headers : rows) {
    AsyncFixture f(Holding().service());
    f.config = kFullDuplex;
    f.headers(request_headers, false, headers);
    EXPECT_THAT(f.sent, ElementsAre("request_headers set a=1"));
    EXPECT_THAT(f.violations, IsEmpty());
    f.body(request_body, "one!", true);
    EXPECT_THAT(rules_told(f), ElementsAre(Rule::body_header_mutation, Rule::clear_route_cache));
  }
}

TEST(HeldHeaders, AreNotHeldWithoutABodyToCome) {
  AsyncFixture f(Holding().service());
  f.config = kFullDuplex;
  f.headers(request_headers, true);
  EXPECT_THAT(f.sent, ElementsAre("request_headers set a=1"));

  AsyncFixture g(
      Holding{.besides = [](HeadersResponse& r) { r.continue_and_replace("new"); }}.service());
  g.config = kFullDuplex;
  g.headers(request_headers);
  EXPECT_THAT(g.sent, ElementsAre("request_headers replace body=\"new\""));

  AsyncFixture h(Holding{.besides = [](HeadersResponse& r) {
                   r.respond(form_immediate_response(403));
                 }}.service());
  h.config = kFullDuplex;
  h.headers(request_headers);
  EXPECT_THAT(h.sent, ElementsAre("immediate 403"));
  EXPECT_THAT(h.violations, IsEmpty());
}

TEST(HeldHeaders, AreNotHeldForAnObserver) {
  AsyncFixture f(Holding().service());
  f.config = kWithoutWaiting;
  f.observes = true;
  f.headers(request_headers);
  f.body(request_body, "one!", true);
  EXPECT_THAT(f.sent, IsEmpty());
  EXPECT_THAT(f.violations, IsEmpty());
  EXPECT_FALSE(f.wake_time);
}

}  // namespace
}  // namespace extproc::stream
