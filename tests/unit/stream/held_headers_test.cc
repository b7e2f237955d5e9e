// The answer to headers that waits for the handler over the body: what goes out, and when.

#include "held_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace extproc::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using namespace std::chrono_literals;
using enum Phase;

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
        EXPECT_THAT(rules_told(f), ElementsAreArray(std::vector(broken, Rule::clear_route_cache)));
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
  EXPECT_THAT(rules_told(f), ElementsAre(Rule::clear_route_cache));
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
    EXPECT_THAT(rules_told(f), ElementsAre(Rule::body_header_mutation));
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
