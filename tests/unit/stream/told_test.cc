// What the log tells of streams, besides what breaks a rule: once what is wrong with how a
// processor is set up or used, and with LogLevel::debug what comes and what is answered.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "async_fixture.h"
#include "every_mode.h"
#include "extproc/chain.h"
#include "extproc/detail/told_once.h"

namespace extproc::stream {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using namespace std::chrono_literals;
using enum Phase;

const ProtocolConfiguration kNoBodies{};

TEST(ToldOnce, IsBounded) {
  detail::ToldOnce told;
  EXPECT_TRUE(told.first("a"));
  EXPECT_TRUE(told.first("b"));
  EXPECT_FALSE(told.first("a"));
  int first = 2;
  for (int i = 0; i < 10'000; ++i) first += told.first(std::to_string(i)) ? 1 : 0;
  EXPECT_LT(first, 100);
}

// In one answer, and of the same rule.
TEST(Told, EachDeniedHeaderIsNamed) {
  auto service = handlers();
  service->process<request_headers>([](auto&, auto&, auto&, HeadersResponse& response) {
    response.set_headers({{"host", "a"}, {"x-envoy-a", "b"}, {"x-right", "c"}, {":method", "D"}});
  });
  AsyncFixture f(service);
  f.headers(request_headers);
  f.restart();
  f.headers(request_headers);
  EXPECT_THAT(f.log, ElementsAre(HasSubstr("header_denied \"host\""),
                                 HasSubstr("header_denied \"x-envoy-a\""),
                                 HasSubstr("header_denied \":method\"")));
  EXPECT_EQ(f.violations.size(), 6U);
}

std::shared_ptr<Handlers> with_bodies() {
  auto service = handlers();
  service->process<request_body>([](auto&, auto&, auto&, auto&) {});
  return service;
}

TEST(Told, AHandlerThatCannotBeCalledIsNamedOnce) {
  AsyncFixture f(with_bodies());
  f.config = kNoBodies;
  for (int i = 0; i < 3; ++i) {
    f.headers(request_headers);
    f.restart();
  }
  EXPECT_THAT(f.log,
              ElementsAre(AllOf(HasSubstr("WARNING"), HasSubstr("request_body is never called"),
                                HasSubstr("request_body_mode: NONE"))));
}

TEST(Told, AHandlerIsNotNamedThatAnAnswerHasCalled) {
  auto service = with_bodies();
  service->process<request_headers>([](auto&, auto&, auto&, HeadersResponse& response) {
    response.override_mode({.request_body_mode = BodySendMode::buffered});
  });
  AsyncFixture f(service);
  f.config = kNoBodies;
  f.headers(request_headers);
  f.restart();
  EXPECT_THAT(f.log, IsEmpty());
}

TEST(Told, AHandlerIsNotNamedWhereItsBodyMayCome) {
  for (const auto& config : {std::optional(kBuffered), std::optional(kFullDuplex),
                             std::optional<ProtocolConfiguration>()}) {
    AsyncFixture f(with_bodies());
    f.config = config;
    f.headers(request_headers, true);
    f.restart();
    EXPECT_THAT(f.log, IsEmpty());
  }
}

TEST(Told, TheProcessorOfAChainThatCannotBeCalledIsNamed) {
  Handlers first("First"), second("Second");
  first.process<request_headers>([](auto&, auto&, auto&, auto&) {});
  second.process<response_body>([](auto&, auto&, auto&, auto&) {});
  Chain both({Service(first), Service(second)}, "Both");
  AsyncFixture f{Service(both)};
  f.config = kNoBodies;
  f.headers(request_headers);
  f.restart();
  EXPECT_THAT(f.log, ElementsAre(HasSubstr("Second: response_body is never called")));
}

// Envoy waits for such a handler without end, and so does the request.
TEST(Told, AHandlerThatWaitsWhereEnvoyRunsNoTimerIsNamed) {
  Gate gate;
  auto service = handlers();
  service->process<request_headers>(
      [&gate](auto&, Context&, Request&, auto&) -> Task<> { co_await gate.passed(); });
  AsyncFixture f(service);
  f.config = kFullDuplex;
  f.headers(request_headers);
  f.pass(199ms);
  EXPECT_THAT(f.log, IsEmpty());
  f.pass(1ms);
  EXPECT_THAT(f.log, ElementsAre(AllOf(HasSubstr("WARNING"),
                                       HasSubstr("request_headers has waited for 200 ms"),
                                       HasSubstr("FULL_DUPLEX_STREAMED"))));
  EXPECT_EQ(f.wake_time, std::nullopt);
  gate.open();
  f.run();
  f.restart();
  f.headers(request_headers);
  f.pass(1s);
  EXPECT_EQ(f.log.size(), 1U);
  gate.open();
  f.run();
}

TEST(Told, AHandlerThatWaitsWhereEnvoyHasATimerIsNot) {
  Gate gate;
  auto service = handlers();
  service->process<request_headers>(
      [&gate](auto&, Context&, Request&, auto&) -> Task<> { co_await gate.passed(); });
  AsyncFixture f(service);
  f.config = kBuffered;
  f.headers(request_headers);
  f.pass(1s);
  EXPECT_THAT(f.log, IsEmpty());
  gate.open();
  f.run();
}

TEST(Told, WaitingForAChunkOrForThePeerIsNoSuchWait) {
  auto service = handlers();
  service->process<request_body>([](BodyStream& body, Context&, Request&) -> Task<> {
    while (auto chunk = co_await body.read()) {
      co_await body.writable();
      body.write(chunk->bytes());
    }
  });
  AsyncFixture f(service);
  f.config = kFullDuplex;
  f.headers(request_headers);
  f.body(request_body, "a");
  f.pass(1s);
  EXPECT_THAT(f.log, IsEmpty());
  f.congested_at_once = true;
  f.body(request_body, "b");
  f.pass(1s);
  EXPECT_THAT(f.log, IsEmpty());
  f.congested_at_once = false;
  f.drain();
}

TEST(Told, ABodysHandlerThatWaitsForSomethingElseIs) {
  Gate gate;
  auto service = handlers();
  service->process<request_body>([&gate](BodyStream& body, Context&, Request&) -> Task<> {
    while (auto chunk = co_await body.read()) {
      co_await gate.passed();
      body.write(chunk->bytes());
    }
  });
  AsyncFixture f(service);
  f.config = kFullDuplex;
  f.headers(request_headers);
  f.body(request_body, "a");
  f.pass(1s);
  EXPECT_THAT(f.log, ElementsAre(HasSubstr("request_body has waited for 200 ms")));
  gate.open();
  f.run();
}

/// The lines of one exchange, with its log at LogLevel::debug.
class DebugLog : public ::testing::Test {
 protected:
  std::vector<std::string> lines_of(std::shared_ptr<Handlers> service,
                                    const std::function<void(AsyncFixture&)>& exchange) {
    AsyncFixture f(Service(std::move(service)), "", 16, LogLevel::debug);
    f.config = kBuffered;
    exchange(f);
    f.close();
    return f.log;
  }
};

TEST_F(DebugLog, TellsWhatComesAndWhatIsAnswered) {
  auto service = handlers();
  service->process<request_headers>([](auto&, auto&, auto&, HeadersResponse& response) {
    response.set_header("x-a", "1");
    response.append_header("x-b", "2");
    response.remove_header("x-c");
    response.clear_route_cache();
    response.set_dynamic_metadata("space", Struct{});
  });
  service->process<request_body>(
      [](auto&, auto&, auto&, BodyResponse& response) { response.replace_body("four"); });
  const auto lines = lines_of(service, [](AsyncFixture& f) {
    f.headers(request_headers, false, {{":path", "/p"}, {"x-request-id", "id-1"}, {"x-in", "v"}});
    f.body(request_body, "abc", true);
  });
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("request_headers came for request id-1"),
                                    HasSubstr(":path=/p"), HasSubstr("x-in=v"),
                                    HasSubstr("request_body_mode=BUFFERED"))));
  EXPECT_THAT(lines,
              Contains(AllOf(HasSubstr("request_headers answered for request id-1"),
                             HasSubstr("set x-a=1, append x-b=2, remove x-c"),
                             HasSubstr("clear_route_cache"), HasSubstr("dynamic metadata space"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("request_body came for request id-1"),
                                    HasSubstr("3 bytes, end_of_stream"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("request_body answered for request id-1"),
                                    HasSubstr("replaced by 4 bytes"))));
  EXPECT_THAT(lines, Contains(HasSubstr("the stream is over for request id-1")));
}

TEST_F(DebugLog, DoesNotTellSecrets) {
  auto service = handlers();
  service->process<request_headers>([](auto&, auto&, auto&, HeadersResponse& response) {
    response.set_header("authorization", "Bearer of-the-answer");
    ImmediateResponse denied{.status = 401};
    denied.headers = {{"Set-Cookie", "of-the-reply"}, {"x-mine", "of-mine"}};
    response.respond(denied);
  });
  const std::vector<std::string> secret = {"authorization", "proxy-authorization", "cookie",
                                           "set-cookie",    "x-api-key",           "x-mine"};
  const auto lines = lines_of(service, [&](AsyncFixture& f) {
    f.settings.redacted_headers = {"x-mine"};
    HeaderList sent = {{"x-open", "told"}};
    for (const auto& name : secret) sent.emplace_back(name, "secret-of-" + name);
    f.headers(request_headers, true, sent);
  });
  std::string all;
  for (const auto& line : lines) all += line + "\n";
  EXPECT_THAT(all, HasSubstr("x-open=told"));
  for (const auto& name : secret) {
    EXPECT_THAT(all, HasSubstr(name + "=(" + std::to_string(name.size() + 10) + " bytes)"));
  }
  EXPECT_THAT(all, Not(HasSubstr("secret-of")));
  EXPECT_THAT(all, Not(HasSubstr("of-the")));
  EXPECT_THAT(all, Not(HasSubstr("of-mine")));
  EXPECT_THAT(all, HasSubstr("status 401"));
}

TEST_F(DebugLog, TellsOfABreachEachTime) {
  auto service = handlers();
  service->process<request_headers>(
      [](auto&, auto&, auto&, HeadersResponse& response) { response.set_header("host", "a"); });
  const auto lines = lines_of(service, [](AsyncFixture& f) {
    f.headers(request_headers);
    f.restart();
    f.headers(request_headers);
  });
  EXPECT_EQ(std::ranges::count_if(lines,
                                  [](const auto& line) {
                                    return line.find("header_denied \"host\"") != std::string::npos;
                                  }),
            2);
}

TEST_F(DebugLog, BoundsALine) {
  auto service = handlers();
  service->process<request_headers>([](auto&, auto&, auto&, auto&) {});
  const auto lines = lines_of(service, [](AsyncFixture& f) {
    f.headers(request_headers, true, {{"x-long", std::string(1 << 20, 'v')}});
  });
  for (const auto& line : lines) EXPECT_LE(line.size(), 5'000U);
  EXPECT_THAT(lines, Contains(HasSubstr("x-long=vvv")));
}

// Envoy drops it without a word.
TEST(Told, MetadataThatIsNotStated) {
  auto service = handlers();
  service->needs({.metadata_set = {"stated"}});
  service->process<Phase::request_headers>([](auto&, auto&, auto&, HeadersResponse& response) {
    response.set_dynamic_metadata("stated", Struct());
    response.set_dynamic_metadata("other", Struct());
  });
  AsyncFixture f(service);
  f.headers(request_headers);
  f.restart();
  f.headers(request_headers);
  EXPECT_THAT(f.log, ElementsAre(AllOf(HasSubstr("sets the dynamic metadata of other"),
                                       HasSubstr("Needs::metadata_set"))));
}

}  // namespace
}  // namespace extproc::stream
