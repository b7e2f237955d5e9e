// The answer to headers that waits for the handler over the body: what goes out, and when.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "async_fixture.h"
#include "every_mode.h"

namespace extproc::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using namespace std::chrono_literals;
using enum Phase;

constexpr ProtocolConfiguration kWithoutWaiting{BodySendMode::streamed, BodySendMode::streamed,
                                                true};
const ProtocolConfiguration kHolding[] = {kFullDuplex, kWithoutWaiting};

bool duplex(const ProtocolConfiguration& config) { return config == kFullDuplex; }

constexpr Phase headers_of(Phase body) {
  return body == request_body ? request_headers : response_headers;
}

/// Decides by the first chunk that has an "!", which becomes a header's value; sends on what it
/// read.
Task<> decide(BodyStream& body, Context&, Request&) {
  std::string text;
  while (auto chunk = co_await body.read()) {
    text += chunk->bytes();
    if (text.find('!') == std::string::npos) continue;
    body.response().set_header("x-model", text);
    body.clear_route_cache();
    break;
  }
  body.write(text);
}

using BodyHandler = std::function<Task<>(BodyStream&, Context&, Request&)>;

/// A processor that has the answer to headers wait.
struct Holding {
  BodyHandler handler = &decide;
  std::optional<ImmediateResponse> otherwise{};
  std::function<void(HeadersResponse&)> besides = [](HeadersResponse& r) {
    r.set_header("a", "1");
  };

  std::shared_ptr<Handlers> service(Phase body = request_body) const {
    auto made = handlers();
    const auto headers = [*this](const HttpHeaders&, Context&, Request&, HeadersResponse& r) {
      r.wait_for_body(otherwise);
      besides(r);
    };
    if (body == request_body) {
      made->process<request_headers>(headers).process<request_body>(handler);
      made->process<request_trailers>([](auto&, auto&, auto&, auto& r) { r.set_header("t", "1"); });
    } else {
      made->process<response_headers>(headers).process<response_body>(handler);
    }
    return made;
  }
};

std::vector<Rule> rules(const AsyncFixture& f) {
  std::vector<Rule> all;
  for (const auto& violation : f.violations) all.push_back(violation.rule);
  return all;
}

// As with a call in the headers' handler, which there need not be.
TEST(HeldHeaders, WaitWhereTheProcessorStatesIt) {
  for (const bool has_headers_handler : {false, true}) {
    for (const auto& config : kHolding) {
      for (const Phase body : {request_body, response_body}) {
        auto service = handlers();
        service->needs({.request_headers_wait_for_body = body == request_body,
                        .response_headers_wait_for_body = body == response_body});
        if (body == request_body) {
          service->process<request_body>(decide);
          if (has_headers_handler)
            service->process<request_headers>([](auto&, auto&, auto&, auto&) {});
        } else {
          service->process<response_body>(decide);
          if (has_headers_handler)
            service->process<response_headers>([](auto&, auto&, auto&, auto&) {});
        }
        AsyncFixture f(service);
        f.config = config;
        f.headers(headers_of(body));
        EXPECT_THAT(f.sent, IsEmpty());
        f.body(body, "a!", true);
        ASSERT_THAT(f.sent, Not(IsEmpty()));
        EXPECT_THAT(f.sent.front(), HasSubstr("x-model=a!"));
        // A response has no route.
        const std::size_t broken = body == request_body ? 0 : 1;
        EXPECT_THAT(rules(f), ElementsAreArray(std::vector(broken, Rule::clear_route_cache)));
      }
    }
  }
}

// Whether it writes behind that or not.
TEST(HeldHeaders, AResponseInTheirPlaceIsNotLostByAWrite) {
  for (const auto& config : kHolding) {
    for (const Phase body : {request_body, response_body}) {
      const Holding refuses{.handler = [](BodyStream& stream, Context&, Request&) -> Task<> {
        const auto chunk = co_await stream.read();
        stream.response().respond({.status = 403});
        stream.write(chunk->bytes());
      }};
      AsyncFixture f(refuses.service(body));
      f.config = config;
      f.headers(headers_of(body));
      f.body(body, "a", false);
      EXPECT_THAT(f.sent, ElementsAre(HasSubstr("403")));
      EXPECT_THAT(f.violations, IsEmpty());
    }
  }
}

TEST(HeldHeaders, AreDecidedInTheMiddleOfTheBody) {
  AsyncFixture f(Holding().service());
  f.config = kFullDuplex;
  f.headers(request_headers);
  f.body(request_body, "one");
  f.body(request_body, "two");
  EXPECT_THAT(f.sent, IsEmpty());
  EXPECT_GE(f.kept_bytes, 6);
  f.body(request_body, "three!");
  f.body(request_body, "four", true);
  EXPECT_THAT(f.sent, ElementsAre("request_headers set a=1 set x-model=onetwothree! route",
                                  "request_body streamed=\"onetwothree!\"",
                                  "request_body streamed=\"four\",end"));
  EXPECT_EQ(f.counters.fallbacks.value(), 0U);
  EXPECT_THAT(f.violations, IsEmpty());
}

TEST(HeldHeaders, AreDecidedInTheResponse) {
  AsyncFixture f(Holding{.besides = [](auto&) {}}.service(response_body));
  f.config = kFullDuplex;
  f.headers(response_headers);
  f.body(response_body, "one");
  EXPECT_THAT(f.sent, IsEmpty());
  f.body(response_body, "!", true);
  EXPECT_THAT(f.sent,
              ElementsAre("response_headers set x-model=one!", "response_body streamed=\"one!\"",
                          "response_body streamed=\"\",end"));
  // There is no route to choose.
  EXPECT_THAT(rules(f), ElementsAre(Rule::clear_route_cache));
}

// Each chunk that was read is answered behind the headers: what it held is in what was written.
TEST(HeldHeaders, AreDecidedBetweenChunksThatWantAnswers) {
  AsyncFixture f(Holding().service());
  f.config = kWithoutWaiting;
  f.headers(request_headers);
  f.body(request_body, "one");
  f.body(request_body, "two");
  EXPECT_THAT(f.sent, IsEmpty());
  f.body(request_body, "three!");
  f.body(request_body, "four", true);
  EXPECT_THAT(f.sent, ElementsAre("request_headers set a=1 set x-model=onetwothree! route",
                                  "request_body clear", "request_body clear",
                                  "request_body body=\"onetwothree!\"", "request_body"));
  EXPECT_THAT(f.violations, IsEmpty());
  EXPECT_FALSE(f.wake_time);
}

TEST(HeldHeaders, GoWhenTheHandlerEnds) {
  for (const auto& config : kHolding) {
    AsyncFixture f(Holding{.handler = [](BodyStream& body, auto&, auto&) -> Task<> {
                     body.response().set_header("x-early", "1");
                     co_return;
                   }}.service());
    f.config = config;
    f.headers(request_headers);
    EXPECT_THAT(f.sent, IsEmpty());
    f.body(request_body, "one", true);
    EXPECT_THAT(f.sent,
                ElementsAre("request_headers set a=1 set x-early=1",
                            duplex(config) ? "request_body streamed=\"one\",end" : "request_body"));
  }
}

// What is written or asked for behind the first write is too late for the headers.
TEST(HeldHeaders, GoWithTheFirstWrite) {
  for (const auto& config : kHolding) {
    AsyncFixture f(Holding{.handler = [](BodyStream& body, auto&, auto&) -> Task<> {
                     body.response().set_header("x-early", "1");
                     body.response().set_dynamic_metadata("m", Struct().set("k", 1));
                     body.write("");
                     body.write("new ");
                     body.response().set_header("x-late", "1");
                     while (auto chunk = co_await body.read()) body.write(chunk->bytes());
                   }}.service());
    f.config = config;
    f.headers(request_headers);
    f.body(request_body, "one", true);
    EXPECT_EQ(f.sent.front().find("request_headers set a=1 set x-early=1"), 0U) << f.sent.front();
    EXPECT_NE(f.sent.front().find("metadata"), std::string::npos) << f.sent.front();
    EXPECT_THAT(rules(f), ElementsAre(Rule::body_header_mutation));
  }
}

TEST(HeldHeaders, GoAtTheEndOfABodyThatDecidesNothing) {
  for (const auto& config : kHolding) {
    for (const bool trailers : {false, true}) {
      AsyncFixture f(Holding().service());
      f.config = config;
      f.headers(request_headers);
      f.body(request_body, "one");
      f.body(request_body, "two", !trailers);
      if (trailers) f.trailers(request_trailers);
      std::vector<std::string> sent{"request_headers set a=1"};
      if (duplex(config)) {
        sent.emplace_back("request_body streamed=\"onetwo\"");
        if (!trailers) sent.emplace_back("request_body streamed=\"\",end");
      } else {
        sent.insert(sent.end(), {"request_body clear", "request_body body=\"onetwo\""});
      }
      if (trailers) sent.emplace_back("request_trailers set t=1");
      EXPECT_EQ(f.sent, sent);
      EXPECT_THAT(f.violations, IsEmpty());
    }
  }
}

TEST(HeldHeaders, OfABodyWithoutBytes) {
  for (const auto& config : kHolding) {
    AsyncFixture f(Holding().service());
    f.config = config;
    f.headers(request_headers);
    f.body(request_body, "", true);
    EXPECT_THAT(f.sent,
                ElementsAre("request_headers set a=1",
                            duplex(config) ? "request_body streamed=\"\",end" : "request_body"));
  }
}

// No message of a body comes: the handler over it does not run.
TEST(HeldHeaders, GoWhereTrailersOrNothingFollows) {
  for (const auto& config : kHolding) {
    AsyncFixture f(Holding().service());
    f.config = config;
    f.headers(request_headers);
    f.trailers(request_trailers);
    EXPECT_THAT(f.sent, ElementsAre("request_headers set a=1", "request_trailers set t=1"));

    f.restart();
    f.sent.clear();
    f.headers(request_headers);
    EXPECT_THAT(f.sent, IsEmpty());
    f.half_close();
    EXPECT_THAT(f.sent, ElementsAre("request_headers set a=1"));
    EXPECT_TRUE(f.ended);
  }
}

TEST(HeldHeaders, AreDroppedWithAResponseInTheirPlace) {
  for (const auto& config : kHolding) {
    for (const bool throws : {false, true}) {
      AsyncFixture f(Holding{.handler = [throws](BodyStream& body, auto&, auto&) -> Task<> {
                       const auto chunk = co_await body.read();
                       if (!chunk) co_return;
                       if (throws) throw StopRequestProcessing(form_immediate_response(403));
                       body.response().respond(form_immediate_response(403));
                     }}.service());
      f.config = config;
      f.headers(request_headers);
      f.body(request_body, "one");
      EXPECT_THAT(f.sent, ElementsAre("immediate 403"));
      EXPECT_TRUE(f.ended);
      EXPECT_EQ(f.status, GrpcStatus::ok);
    }
  }
}

TEST(HeldHeaders, AreDroppedWithAFailure) {
  AsyncFixture f(Holding{.handler = [](BodyStream& body, auto&, auto&) -> Task<> {
                   const auto chunk = co_await body.read();
                   if (chunk) throw std::runtime_error("no");
                 }}.service());
  f.config = kFullDuplex;
  f.headers(request_headers);
  f.body(request_body, "one");
  EXPECT_THAT(f.sent, IsEmpty());
  EXPECT_EQ(f.status, GrpcStatus::unknown);
}

// The fixture looks at what is kept at the end.
TEST(HeldHeaders, AreDroppedWithTheStream) {
  for (const auto& config : kHolding) {
    for (const int chunks : {0, 1, 2}) {
      AsyncFixture f(Holding().service());
      f.config = config;
      f.headers(request_headers, false, {{":path", "/"}});
      for (int i = 0; i < chunks; ++i) f.body(request_body, "one");
      EXPECT_GT(f.kept_bytes, 0);
      EXPECT_TRUE(f.close());
      EXPECT_THAT(f.sent, IsEmpty());
    }
  }
}

// A handler that waits is told.
TEST(HeldHeaders, GoUnchangedOverTheLimitOfBytes) {
  for (const auto& config : kHolding) {
    bool cancelled = false;
    AsyncFixture f(Holding{.handler = [&](BodyStream& body, Context& context, auto&) -> Task<> {
                     try {
                       while (auto chunk = co_await body.read())
                         body.response().set_header("b", "1");
                     } catch (const boost::system::system_error&) {
                       cancelled = context.cancelled();
                     }
                   }}.service());
    f.config = config;
    f.settings.held_bytes = 1'000;
    f.headers(request_headers);
    f.body(request_body, std::string(400, 'x'));
    EXPECT_THAT(f.sent, IsEmpty());
    f.body(request_body, std::string(600, 'y'));
    const std::string x = duplex(config) ? " streamed=\"" + std::string(400, 'x') + "\"" : "";
    const std::string y = duplex(config) ? " streamed=\"" + std::string(600, 'y') + "\"" : "";
    EXPECT_THAT(f.sent,
                ElementsAre("request_headers set a=1", "request_body" + x, "request_body" + y));
    EXPECT_TRUE(cancelled);
    f.body(request_body, "z", true);
    EXPECT_EQ(f.sent.back(), duplex(config) ? "request_body streamed=\"z\",end" : "request_body");
    ASSERT_EQ(f.violations.size(), 1U);
    EXPECT_EQ(f.violations[0].rule, Rule::body_awaited_too_long);
    EXPECT_EQ(f.violations[0].phase, request_headers);
    EXPECT_EQ(f.violations[0].field, "held_bytes_per_stream");
    EXPECT_EQ(f.counters.fallbacks.value(), 1U);
  }
}

TEST(HeldHeaders, AreReplacedOverTheLimitWhereTheProcessorSaysSo) {
  for (const bool by_time : {false, true}) {
    AsyncFixture f(Holding{.otherwise = form_immediate_response(413)}.service());
    f.config = kFullDuplex;
    f.settings.held_bytes = 1'000;
    f.settings.held_time = 3s;
    f.headers(request_headers);
    f.body(request_body, "some");
    by_time ? f.pass(3s) : f.body(request_body, std::string(1'000, 'x'));
    EXPECT_THAT(f.sent, ElementsAre("immediate 413"));
    EXPECT_TRUE(f.ended);
    EXPECT_EQ(f.status, GrpcStatus::ok);
    EXPECT_THAT(rules(f), ElementsAre(Rule::body_awaited_too_long));
  }
}

TEST(HeldHeaders, GoUnchangedAfterTheirTime) {
  for (const int chunks : {0, 1, 2}) {
    AsyncFixture f(Holding().service());
    f.config = kFullDuplex;
    f.settings.held_time = 3s;
    f.headers(request_headers);
    std::vector<std::string> sent{"request_headers set a=1"};
    for (int i = 0; i < chunks; ++i) {
      f.body(request_body, "one");
      sent.emplace_back("request_body streamed=\"one\"");
    }
    f.pass(2'999ms);
    EXPECT_THAT(f.sent, IsEmpty());
    f.pass(1ms);
    EXPECT_EQ(f.sent, sent);
    EXPECT_FALSE(f.wake_time);
    ASSERT_EQ(f.violations.size(), 1U);
    EXPECT_EQ(f.violations[0].field, "held_time");
    f.body(request_body, "two!", true);
    EXPECT_EQ(f.sent.back(), "request_body streamed=\"two!\",end");
    EXPECT_EQ(f.violations.size(), 1U);
  }
}

// Envoy times each chunk anew.
TEST(HeldHeaders, GoInTimeWhereEnvoyRunsATimer) {
  AsyncFixture f(Holding().service());
  f.config = kWithoutWaiting;
  f.headers(request_headers);
  for (int i = 0; i < 3; ++i) {
    f.pass(159ms);
    EXPECT_THAT(f.sent, IsEmpty()) << i;
    f.body(request_body, "one");
  }
  f.pass(159ms);
  EXPECT_THAT(f.sent, IsEmpty());
  f.pass(1ms);
  EXPECT_THAT(f.sent, ElementsAre("request_headers set a=1", "request_body", "request_body",
                                  "request_body"));
  ASSERT_EQ(f.violations.size(), 1U);
  EXPECT_EQ(f.violations[0].field, "message_timeout");
  EXPECT_FALSE(f.wake_time);
}

TEST(HeldHeaders, AskForTimeOncePerMessage) {
  AsyncFixture f(Holding().service());
  f.config = kWithoutWaiting;
  f.settings.filter.max_message_timeout = 1s;
  f.headers(request_headers);
  f.pass(100ms);
  EXPECT_THAT(f.sent, ElementsAre("more-time 1000ms"));
  f.body(request_body, "one");
  f.pass(100ms);
  EXPECT_THAT(f.sent, ElementsAre("more-time 1000ms", "more-time 1000ms"));
  f.pass(700ms);
  EXPECT_EQ(f.sent.size(), 2U);
  f.body(request_body, "two!", true);
  f.pass(1h);
  EXPECT_THAT(f.sent, ElementsAre("more-time 1000ms", "more-time 1000ms",
                                  "request_headers set a=1 set x-model=onetwo! route",
                                  "request_body clear", "request_body body=\"onetwo!\""));
  EXPECT_EQ(f.counters.time_extensions.value(), 2U);
}

// The time that the handler itself states counts as ever.
TEST(HeldHeaders, GoWithTheHandlersOwnFallback) {
  for (const auto& config : kHolding) {
    Gate gate;
    AsyncFixture f(Holding{.handler = [&](BodyStream& body, auto&, auto&) -> Task<> {
                     body.response().fall_back_after(50ms);
                     const auto chunk = co_await body.read();
                     if (!chunk) co_return;
                     co_await gate.passed();
                     body.write("never");
                   }}.service());
    f.config = config;
    f.headers(request_headers);
    f.body(request_body, "one", true);
    f.pass(50ms);
    EXPECT_THAT(f.sent,
                ElementsAre("request_headers set a=1",
                            duplex(config) ? "request_body streamed=\"one\",end" : "request_body"));
    EXPECT_THAT(rules(f), ElementsAre(Rule::answered_too_late));
    gate.open();
  }
}

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
    EXPECT_EQ(rules(f), row.told);
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
  EXPECT_THAT(rules(f), ElementsAre(Rule::body_not_awaited));
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
    EXPECT_THAT(rules(f), ElementsAre(Rule::body_header_mutation, Rule::clear_route_cache));
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

// Of one stream nothing is left for the next.
TEST(HeldHeaders, AreFreshInTheNextStream) {
  AsyncFixture f(Holding().service());
  f.config = kFullDuplex;
  f.headers(request_headers);
  f.body(request_body, "one");
  f.restart();
  f.headers(request_headers);
  f.body(request_body, "two!", true);
  EXPECT_THAT(f.sent,
              ElementsAre("request_headers set a=1 set x-model=two! route",
                          "request_body streamed=\"two!\"", "request_body streamed=\"\",end"));
}

// The response's headers come while the request's wait, as from a filter in front that answers.
TEST(HeldHeaders, OfOneDirectionLetTheOtherGoOn) {
  auto service = Holding().service();
  Gate gate;
  service->process<response_headers>([&](auto&, auto&, auto&, HeadersResponse& r) -> Task<> {
    co_await gate.passed();
    r.set_header("r", "1");
  });
  AsyncFixture f(service);
  f.config = kFullDuplex;
  f.headers(request_headers);
  f.headers(response_headers);
  gate.open();
  f.run();
  EXPECT_THAT(f.sent, ElementsAre("response_headers set r=1"));
  f.body(request_body, "!", true);
  EXPECT_EQ(f.sent.at(1), "request_headers set a=1 set x-model=! route");
}

}  // namespace
}  // namespace extproc::stream
