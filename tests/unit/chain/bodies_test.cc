// Handlers over whole bodies in a chain: answers in place of a body, and bodies that Envoy does not
// send.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "extproc/async.h"
#include "extproc/chain.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"

namespace extproc {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::Envoy;
using testing::EnvoyResult;
using testing::Exchange;
using ::testing::Pair;

/// Puts its name and brackets around both bodies; `waits`: for a timer before each chunk goes on.
class Brackets : public AsyncProcessor {
 public:
  Brackets(std::string name, bool waits) : name_(std::move(name)), waits_(waits) {}
  std::string name() const override { return name_; }

  Task<> stream_request_body(BodyStream& body, Context& context, Request&) override {
    return handle(body, context);
  }
  Task<> stream_response_body(BodyStream& body, Context& context, Request&) override {
    return handle(body, context);
  }

 protected:
  Task<> pause(Context& context) const {
    if (!waits_) co_return;
    boost::asio::steady_timer timer(executor(context), std::chrono::milliseconds(1));
    co_await timer.async_wait(boost::asio::deferred);
  }

 private:
  Task<> handle(BodyStream& body, Context& context) {
    body.write(name_ + "(");
    while (auto chunk = co_await body.read()) {
      co_await pause(context);
      body.write(chunk->body());
    }
    body.write(")");
  }

  std::string name_;
  bool waits_;
};

/// Reads the whole request body, then does what it was made to do.
class Ends : public Brackets {
 public:
  Ends(bool waits, void (*how)(Context&, BodyStream&)) : Brackets("E", waits), how_(how) {}

  Task<> stream_request_body(BodyStream& body, Context& context, Request&) override {
    while (auto chunk = co_await body.read()) {
      co_await pause(context);
      body.write(chunk->body());
    }
    how_(context, body);
  }

 private:
  void (*how_)(Context&, BodyStream&);
};

ImmediateResponse too_much() { return form_immediate_response(413, {}, "no"); }

const Exchange kExchange{.request = {.headers = {{":method", "POST"}}, .body = {"1", "2", "3"}},
                         .upstream = {.body = {"a", "b"}}};

EnvoyResult run(const std::string& mode, Chain chain) {
  const Envoy envoy("message_timeout: 10s\nprocessing_mode: {request_body_mode: " + mode +
                    ", response_body_mode: " + mode +
                    ", request_trailer_mode: SEND, response_trailer_mode: SEND}");
  return envoy.run(chain, kExchange);
}

class ChainBodies : public ::testing::TestWithParam<std::tuple<const char*, bool>> {
 protected:
  std::string mode() const { return std::get<0>(GetParam()); }
  bool waits() const { return std::get<1>(GetParam()); }
  Service brackets(const std::string& name) const { return Service::make<Brackets>(name, waits()); }
};

TEST_P(ChainBodies, GoThroughAll) {
  const auto result = run(mode(), Chain({brackets("A"), brackets("B")}));
  EXPECT_EQ(result.upstream.body, "B(A(123))");
  EXPECT_EQ(result.caller.body, "A(B(ab))");
  EXPECT_THAT(result.refusals, ElementsAre());
}

// Those behind have had chunks, and wait for more.
TEST_P(ChainBodies, AnAnswerInPlaceOfTheBodyGoesThroughTheOthers) {
  const auto ends = Service::make<Ends>(
      waits(), [](Context&, BodyStream& body) { body.response().respond(too_much()); });
  const auto throws = Service::make<Ends>(
      waits(), [](Context&, BodyStream&) { throw StopRequestProcessing(too_much()); });
  for (const Service& service : {ends, throws}) {
    const auto result = run(mode(), Chain({brackets("A"), service, brackets("B"), brackets("C")}));
    EXPECT_EQ(result.caller.status, 413);
    EXPECT_EQ(result.caller.body, "A(B(C(no)))");
    EXPECT_EQ(result.statistic("message_timeouts"), 0U);
  }
}

TEST_P(ChainBodies, OneThatFailsEndsTheStreamForThoseThatWait) {
  const auto throws = Service::make<Ends>(
      waits(), [](Context&, BodyStream&) { throw std::runtime_error("broken"); });
  const auto aborts = Service::make<Ends>(
      waits(), [](Context& context, BodyStream&) { context.abort(GrpcStatus::internal, "bad"); });
  for (const Service& service : {throws, aborts}) {
    const auto result = run(mode(), Chain({service, brackets("B")}));
    EXPECT_EQ(result.statistic("streams_failed"), 1U);
    EXPECT_EQ(result.statistic("message_timeouts"), 0U);
  }
}

TEST_P(ChainBodies, AnAnswerToTheHeadersGoesThroughTheOthers) {
  Handlers denies("D");
  denies.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& response) { response.respond(too_much()); });
  const auto result = run(mode(), Chain({brackets("A"), Service(denies), brackets("B")}));
  EXPECT_EQ(result.caller.status, 413);
  EXPECT_EQ(result.caller.body, "A(B(no))");
}

TEST_P(ChainBodies, ABodyThatWasReplacedGoesThroughTheOthers) {
  Handlers replaces("R");
  replaces.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& response) { response.continue_and_replace("new"); });
  const auto result = run(mode(), Chain({Service(replaces), brackets("A"), brackets("B")}));
  EXPECT_EQ(result.upstream.body, "B(A(new))");
}

INSTANTIATE_TEST_SUITE_P(Modes, ChainBodies,
                         ::testing::Combine(::testing::Values("BUFFERED", "STREAMED",
                                                              "FULL_DUPLEX_STREAMED"),
                                            ::testing::Bool()));

// What a handler over the whole body asks for besides the body counts on a local reply too.
TEST(ChainBodiesOfReplies, ComeWithItsHeaders) {
  class Adds : public AsyncProcessor {
   public:
    std::string name() const override { return "A"; }
    Task<> stream_response_body(BodyStream& body, Context&, Request&) override {
      std::size_t bytes = 0;
      while (auto chunk = co_await body.read()) bytes += chunk->body().size();
      body.response().set_header("x-read", std::to_string(bytes));
    }
  };
  Handlers denies("D");
  denies.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& response) { response.respond(too_much()); });
  const auto result = run("BUFFERED", Chain({Service::make<Adds>(), Service(denies)}));
  EXPECT_EQ(result.caller.status, 413);
  EXPECT_EQ(result.caller.body, "");
  EXPECT_THAT(result.caller.headers, Contains(Pair("x-read", "2")));
}

// Each of those that observe is as if it were alone.
TEST(ChainThatObserves, IsNotEndedByOneThatAnswers) {
  class Denies : public AsyncProcessor {
   public:
    explicit Denies(bool at_end) : at_end_(at_end) {}
    std::string name() const override { return "D"; }
    Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
      bool more = true;
      while (more) {
        const auto chunk = co_await body.read();
        more = at_end_ && chunk.has_value();
      }
      throw StopRequestProcessing(too_much());
    }

   private:
    bool at_end_;
  };
  class Counts : public AsyncProcessor {
   public:
    explicit Counts(std::string& seen) : seen_(seen) {}
    std::string name() const override { return "C"; }
    Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
      while (auto chunk = co_await body.read()) seen_ += chunk->body();
      seen_ += ".";
    }

   private:
    std::string& seen_;
  };
  const Envoy envoy(
      "observability_mode: true\nprocessing_mode: {request_body_mode: STREAMED, "
      "request_trailer_mode: SEND}");
  for (const bool at_end : {false, true}) {
    for (const bool trailers : {false, true}) {
      std::string seen, messages;
      int trailers_seen = 0;
      Handlers reads("R");
      reads.process<Phase::request_body>([&](auto& body, auto&, auto&, auto& response) {
        messages += body.body();
        response.respond(too_much());
      });
      reads.process<Phase::request_trailers>([&](auto&, auto&, auto&, auto&) { ++trailers_seen; });
      Chain chain({Service::make<Denies>(at_end), Service(reads), Service::make<Counts>(seen)});
      Exchange exchange{.request = {.body = {"a", "b", "c"}}};
      if (trailers) exchange.request.trailers = testing::HeaderList{{"x-t", "1"}};
      const auto result = envoy.run(chain, exchange);
      EXPECT_EQ(seen, "abc.");
      EXPECT_EQ(messages, "abc");
      EXPECT_EQ(result.caller.status, 200);
    }
  }
}

TEST(ChainBodiesOfReplies, EndWithTheStream) {
  class Sleeps : public AsyncProcessor {
   public:
    std::string name() const override { return "S"; }
    Task<> stream_response_body(BodyStream&, Context& context, Request&) override {
      boost::asio::steady_timer timer(executor(context), std::chrono::hours(1));
      co_await timer.async_wait(boost::asio::deferred);
    }
  };
  Handlers denies("D");
  denies.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& response) { response.respond(too_much()); });
  Chain chain({Service::make<Sleeps>(), Service(denies)});
  const Envoy envoy("message_timeout: 0.02s\nprocessing_mode: {response_body_mode: BUFFERED}");
  EXPECT_EQ(envoy.run(chain, kExchange).caller.status, 504);
}

}  // namespace
}  // namespace extproc
