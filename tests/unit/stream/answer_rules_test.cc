// Answers that break one of Envoy's rules, each with a twin that does not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "async_fixture.h"
#include "rules/advice.h"

namespace extproc::stream {
namespace {

using enum Phase;
using std::chrono::milliseconds;

using OnHeaders = void (*)(HeadersResponse&);
using OnBody = void (*)(BodyResponse&);

constexpr ProtocolConfiguration bodies(BodySendMode mode, bool early_body = false) {
  return {mode, mode, early_body};
}
constexpr ProtocolConfiguration kBuffered = bodies(BodySendMode::buffered);
constexpr ProtocolConfiguration kPartial = bodies(BodySendMode::buffered_partial);
constexpr ProtocolConfiguration kStreamed = bodies(BodySendMode::streamed);
constexpr ProtocolConfiguration kFullDuplex = bodies(BodySendMode::full_duplex_streamed);
constexpr FilterSettings kAnyRouting{.allow_all_routing = true};
constexpr FilterSettings kEnvoyHeaders{.allow_envoy = true};

struct Row {
  Rule rule;
  const char* name;
  Phase phase;
  OnHeaders broken, kept;
  const char* sent;   // what becomes of the broken one
  const char* field;  // what the violation is about
  std::optional<ProtocolConfiguration> config = kBuffered;
  FilterSettings kept_by{};  // the twin's filter
};

void many_sets(HeadersResponse& r, int count) {
  for (int i = 0; i < count; ++i) r.set_header("h" + std::to_string(i), "");
}

const Row kHeaderRows[] = {
    {Rule::header_not_removable, "Host", request_headers, [](auto& r) { r.remove_header("Host"); },
     [](auto& r) { r.remove_header("x-host"); }, "request_headers remove host", "host"},
    {Rule::header_not_removable, "Pseudo", request_headers,
     [](auto& r) { r.remove_header(":path"); }, [](auto& r) { r.set_header(":path", "/"); },
     "request_headers remove :path", ":path"},
    {Rule::header_not_appendable, "Path", request_headers,
     [](auto& r) { r.append_header(":path", "/"); }, [](auto& r) { r.append_header("path", "/"); },
     "request_headers append :path=/", ":path"},
    {Rule::header_not_appendable, "Method", request_headers,
     [](auto& r) { r.append_header(":method", "PUT"); },
     [](auto& r) {
       r.append_header(":method", "PUT");
       r.continue_and_replace("b");
     },
     "request_headers append :method=PUT", ":method"},
    {Rule::header_denied, "Authority", request_headers,
     [](auto& r) { r.set_header(":authority", "a"); },
     [](auto& r) { r.set_header(":authority", "a"); }, "request_headers set :authority=a",
     ":authority", kBuffered, kAnyRouting},
    {Rule::header_denied, "HostOfARoute", request_headers,
     [](auto& r) { r.set_header("host", "a"); }, [](auto& r) { r.set_header("host", "a"); },
     "request_headers set host=a", "host", kBuffered, kAnyRouting},
    {Rule::header_denied, "Scheme", request_headers, [](auto& r) { r.set_header(":scheme", "a"); },
     [](auto& r) { r.set_header(":scheme", "a"); }, "request_headers set :scheme=a", ":scheme",
     kBuffered, kAnyRouting},
    {Rule::header_denied, "Method", request_headers,
     [](auto& r) { r.set_header(":method", "PUT"); },
     [](auto& r) {
       r.set_header(":method", "PUT");
       r.continue_and_replace("b");
     },
     "request_headers set :method=PUT", ":method"},
    {Rule::header_denied, "Envoys", response_headers,
     [](auto& r) { r.set_header("X-Envoy-Peer", "a"); },
     [](auto& r) { r.set_header("X-Envoy-Peer", "a"); }, "response_headers set x-envoy-peer=a",
     "x-envoy-peer", kBuffered, kEnvoyHeaders},
    {Rule::header_denied, "EnvoysRemoved", response_headers,
     [](auto& r) { r.remove_header("x-envoy-peer"); }, [](auto& r) { r.remove_header("x-envoi"); },
     "response_headers remove x-envoy-peer", "x-envoy-peer"},
    // Envoy denies the prefix without a dash.
    {Rule::header_denied, "EnvoysWithoutDash", request_headers,
     [](auto& r) { r.set_header("x-envoyfoo", "a"); }, [](auto& r) { r.set_header("x-envo", "a"); },
     "request_headers set x-envoyfoo=a", "x-envoyfoo"},
    {Rule::header_invalid, "Name", request_headers, [](auto& r) { r.set_header("a b", "c"); },
     [](auto& r) { r.set_header("a!#$%&'*+-.^_`|~9", "c"); }, "request_headers set a b=c", "a b"},
    {Rule::header_invalid, "EmptyName", request_headers, [](auto& r) { r.set_header("", "c"); },
     [](auto& r) { r.set_header("c", ""); }, "request_headers set =c", ""},
    {Rule::header_invalid, "OnlyAColon", request_headers, [](auto& r) { r.set_header(":", "c"); },
     [](auto& r) { r.set_header(":c", "c"); }, "request_headers set :=c", ":"},
    {Rule::header_invalid, "Value", request_headers, [](auto& r) { r.set_header("a", "b\nc"); },
     [](auto& r) { r.set_header("a", "b\tc \xc3\xa9"); }, "request_headers set a=b\nc", "a"},
    {Rule::header_invalid, "Delete", request_headers, [](auto& r) { r.set_header("a", "\x7f"); },
     [](auto& r) { r.set_header("a", "~"); }, "request_headers set a=\x7f", "a"},
    {Rule::header_invalid, "RemovedName", request_headers, [](auto& r) { r.remove_header("a\r"); },
     [](auto& r) { r.remove_header("a"); }, "request_headers remove a\r", "a\r"},
    {Rule::too_many_mutations, "Sets", request_headers, [](auto& r) { many_sets(r, 101); },
     [](auto& r) {
       many_sets(r, 100);
       for (int i = 0; i < 100; ++i) r.remove_header("r");
     },
     nullptr, ""},
    {Rule::too_many_mutations, "Removes", response_headers,
     [](auto& r) {
       for (int i = 0; i < 101; ++i) r.remove_header("r");
     },
     [](auto& r) { many_sets(r, 100); }, nullptr, ""},
    {Rule::status_invalid, "TooLow", request_headers, [](auto& r) { r.respond({.status = 99}); },
     [](auto& r) { r.respond({.status = 200}); }, "immediate 500", ":status"},
    {Rule::status_invalid, "TooHigh", response_headers, [](auto& r) { r.respond({.status = 600}); },
     [](auto& r) { r.respond({.status = 599}); }, "immediate 500", ":status"},
    {Rule::header_denied, "OfAnImmediateResponse", request_headers,
     [](auto& r) {
       r.respond({.headers = {{"x-envoy-a", "1"}}});
     },
     [](auto& r) {
       r.respond({.headers = {{"x-a", "1"}}});
     },
     "immediate 200 set x-envoy-a=1", "x-envoy-a"},
    {Rule::header_not_removable, "OfAnImmediateResponse", request_headers,
     [](auto& r) { r.respond({.removed_headers = {":status"}}); },
     [](auto& r) { r.respond({.removed_headers = {"content-type"}}); },
     "immediate 200 remove :status", ":status"},
    // The second of a name is added.
    {Rule::header_not_appendable, "OfAnImmediateResponse", request_headers,
     [](auto& r) {
       r.respond({.headers = {{":a", "1"}, {":a", "2"}}});
     },
     [](auto& r) {
       r.respond({.headers = {{":a", "1"}, {"a", "1"}, {"a", "2"}}});
     },
     "immediate 200 set :a=1 append :a=2", ":a"},
    {Rule::clear_route_cache, "OfAResponse", response_headers,
     [](auto& r) {
       r.set_header("a", "1");
       r.clear_route_cache();
     },
     [](auto& r) { r.set_header("a", "1"); }, "response_headers set a=1", "clear_route_cache"},
    {Rule::clear_route_cache, "WithoutAChange", request_headers,
     [](auto& r) { r.clear_route_cache(); },
     [](auto& r) {
       r.set_header("a", "1");
       r.clear_route_cache();
     },
     "request_headers", "clear_route_cache"},
    {Rule::mode_override, "OfFullDuplex", request_headers,
     [](auto& r) { r.override_mode({.response_body_mode = BodySendMode::buffered}); }, [](auto&) {},
     "request_headers", "mode_override", kFullDuplex},
    {Rule::mode_override, "WhereBodiesDoNotWait", request_headers,
     [](auto& r) { r.override_mode({.response_body_mode = BodySendMode::buffered}); }, [](auto&) {},
     "request_headers", "mode_override", bodies(BodySendMode::streamed, true)},
    {Rule::full_duplex_override, "ToFullDuplex", request_headers,
     [](auto& r) { r.override_mode({.request_body_mode = BodySendMode::full_duplex_streamed}); },
     [](auto& r) { r.override_mode({.request_body_mode = BodySendMode::streamed}); },
     "request_headers", "mode_override"},
    {Rule::mode_override, "WithoutTheOtherMode", request_headers,
     [](auto& r) { r.override_mode({.request_body_mode = BodySendMode::buffered}); },
     [](auto& r) {
       r.override_mode(
           {.request_body_mode = BodySendMode::buffered, .response_body_mode = BodySendMode::none});
     },
     "request_headers", "mode_override", std::nullopt},
    {Rule::streamed_response, "InResponseHeaders", response_headers,
     [](auto& r) { r.respond_streaming(200).write("x"); }, [](auto& r) { r.respond({}); },
     "response_headers", ""},
};

class HeaderRules : public ::testing::TestWithParam<Row> {};

template <Phase phase>
void add(Handlers& service, OnHeaders handler) {
  service.process<phase>([handler](auto&, auto&, auto&, auto& response) { handler(response); });
}

std::shared_ptr<Handlers> service_of(Phase phase, OnHeaders handler) {
  auto service = handlers();
  phase == request_headers ? add<request_headers>(*service, handler)
                           : add<response_headers>(*service, handler);
  return service;
}

TEST_P(HeaderRules, AreToldOfAndAnsweredLegally) {
  const Row& row = GetParam();
  auto service = service_of(row.phase, row.broken);
  AsyncFixture f(service);
  f.settings.early_end = false;
  f.config = row.config;
  f.headers(row.phase);
  ASSERT_EQ(f.violations.size(), 1U);
  EXPECT_EQ(f.violations[0].rule, row.rule) << to_string(f.violations[0].rule);
  EXPECT_EQ(f.violations[0].phase, row.phase);
  EXPECT_EQ(f.violations[0].field, row.field);
  EXPECT_FALSE(f.violations[0].text.empty());
  if (row.sent != nullptr) {
    EXPECT_THAT(f.sent, ::testing::ElementsAre(row.sent));
  }
  EXPECT_EQ(f.log.size(), 1U);
  EXPECT_EQ(f.counters.misused_answers.value(), 1U);
  // Counted each time, logged once.
  if (!f.ended) {
    f.restart();
    f.headers(row.phase);
    EXPECT_EQ(f.violations.size(), 2U);
    EXPECT_EQ(f.counters.misused_answers.value(), 2U);
    EXPECT_EQ(f.log.size(), 1U);
    EXPECT_THAT(f.log[0], ::testing::HasSubstr(std::string(to_string(row.rule))));
  }
}

TEST_P(HeaderRules, AreKeptByTheTwin) {
  const Row& row = GetParam();
  AsyncFixture f(service_of(row.phase, row.kept));
  f.config = row.config;
  f.settings.filter = row.kept_by;
  f.headers(row.phase);
  EXPECT_TRUE(f.violations.empty()) << to_string(f.violations[0].rule);
  EXPECT_TRUE(f.log.empty());
  EXPECT_EQ(f.sent.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Table, HeaderRules, ::testing::ValuesIn(kHeaderRows),
                         [](const auto& tested) {
                           return std::string(to_string(tested.param.rule)) + "_" +
                                  tested.param.name;
                         });

struct BodyRow {
  const char* name;
  std::optional<Rule> rule;
  Phase phase;
  ProtocolConfiguration config;
  OnBody handler;
  const char* sent;
};

void set_header(BodyResponse& r) { r.set_header("x-a", "1"); }
void clear_route(BodyResponse& r) {
  r.set_header("x-a", "1");
  r.clear_route_cache();
}
void respond(BodyResponse& r) { r.respond({.status = 403}); }

const BodyRow kBodyRows[] = {
    {"Buffered", std::nullopt, request_body, kBuffered, set_header, "request_body set x-a=1"},
    {"Partial", std::nullopt, request_body, kPartial, set_header, "request_body set x-a=1"},
    {"Streamed", Rule::body_header_mutation, request_body, kStreamed, set_header, "request_body"},
    {"StreamedWithoutWaiting", Rule::body_header_mutation, request_body,
     bodies(BodySendMode::streamed, true), set_header, "request_body"},
    {"FullDuplex", Rule::body_header_mutation, request_body, kFullDuplex, set_header,
     "request_body streamed=\"x\""},
    {"Grpc", Rule::body_header_mutation, response_body, bodies(BodySendMode::grpc), set_header,
     "response_body streamed=\"x\""},
    {"RouteOfARequest", std::nullopt, request_body, kBuffered, clear_route,
     "request_body set x-a=1 route"},
    {"RouteOfAResponse", Rule::clear_route_cache, response_body, kBuffered, clear_route,
     "response_body set x-a=1"},
    {"ImmediateInTime", std::nullopt, response_body, kBuffered, respond, "immediate 403"},
    {"ImmediateForARequest", std::nullopt, request_body, kStreamed, respond, "immediate 403"},
    {"ImmediateTooLate", Rule::immediate_too_late, response_body, kStreamed, respond,
     "immediate 403"},
    {"ImmediateTooLateInFullDuplex", Rule::immediate_too_late, response_body, kFullDuplex, respond,
     "immediate 403"},
};

class BodyRules : public ::testing::TestWithParam<BodyRow> {};

TEST_P(BodyRules, FollowTheMode) {
  const BodyRow& row = GetParam();
  auto service = handlers();
  const auto handler = [&row](auto&, auto&, auto&, BodyResponse& r) { row.handler(r); };
  service->process<request_body>(handler).process<response_body>(handler);
  AsyncFixture f(service);
  f.config = row.config;
  f.body(row.phase, "x");
  EXPECT_THAT(f.sent, ::testing::ElementsAre(row.sent));
  ASSERT_EQ(f.violations.size(), row.rule ? 1U : 0U);
  if (row.rule) {
    EXPECT_EQ(f.violations[0].rule, *row.rule);
    EXPECT_EQ(f.violations[0].phase, row.phase);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, BodyRules, ::testing::ValuesIn(kBodyRows),
                         [](const auto& tested) { return tested.param.name; });

TEST(Rules, AreEachNamedAndExplained) {
  std::vector<std::string> names;
  for (unsigned i = 0; i < kRuleCount; ++i) {
    const auto rule = static_cast<Rule>(i);
    EXPECT_FALSE(rules::advice(rule).empty()) << i;
    names.emplace_back(to_string(rule));
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
  EXPECT_EQ(static_cast<unsigned>(Rule::call_missing) + 1, kRuleCount);
}

}  // namespace
}  // namespace extproc::stream
