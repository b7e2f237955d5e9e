// The same processor in every style, over the same phases.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "extproc/async.h"
#include "extproc/extproc.h"
#include "extproc/testing.h"

namespace extproc {
namespace {

using testing::AsEnvoyExtProc;
using testing::envoy_body;
using testing::envoy_headers;
using testing::envoy_set_headers_to_dict;

void fill(PhaseResponse& response, const Request& request) {
  response.set_header("x-phase", to_string(*request.phase()));
}

class Plain : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request& request,
                               HeadersResponse& response) override {
    fill(response, request);
  }
  void process_request_body(const HttpBody& body, Context&, Request& request,
                            BodyResponse& response) override {
    fill(response, request);
    response.replace_body(std::string(body.body()) + "!");
  }
  void process_request_trailers(const HttpTrailers&, Context&, Request& request,
                                TrailersResponse& response) override {
    fill(response, request);
  }
  void process_response_headers(const HttpHeaders&, Context&, Request& request,
                                HeadersResponse& response) override {
    fill(response, request);
  }
  void process_response_body(const HttpBody& body, Context&, Request& request,
                             BodyResponse& response) override {
    fill(response, request);
    response.replace_body(std::string(body.body()) + "!");
  }
  void process_response_trailers(const HttpTrailers&, Context&, Request& request,
                                 TrailersResponse& response) override {
    fill(response, request);
  }
};

class Blocking : public Plain {
 public:
  bool blocking() const override { return true; }
};

// Suspends in every phase, in one of the ways that there are.
class Suspending : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request& request,
                                 HeadersResponse& response) override {
    co_await pause(context);
    fill(response, request);
  }
  Task<> process_request_body(const HttpBody& body, Context& context, Request& request,
                              BodyResponse& response) override {
    co_await pause(context);
    fill(response, request);
    response.replace_body(std::string(body.body()) + "!");
  }
  Task<> process_request_trailers(const HttpTrailers&, Context&, Request& request,
                                  TrailersResponse& response) override {
    co_await offload([] { std::this_thread::yield(); });
    fill(response, request);
  }
  Task<> process_response_headers(const HttpHeaders&, Context&, Request& request,
                                  HeadersResponse& response) override {
    const std::string name =
        co_await offload([&] { return std::string(to_string(*request.phase())); });
    response.set_header("x-phase", name);
  }
  Task<> process_response_body(const HttpBody& body, Context& context, Request& request,
                               BodyResponse& response) override {
    boost::asio::steady_timer timer(executor(context), std::chrono::milliseconds(1));
    co_await timer.async_wait(boost::asio::use_awaitable);
    fill(response, request);
    response.replace_body(std::string(body.body()) + "!");
  }
  Task<> process_response_trailers(const HttpTrailers&, Context&, Request& request,
                                   TrailersResponse& response) override {
    fill(response, request);
    co_return;
  }

 private:
  static Task<> pause(Context& context) {
    boost::asio::steady_timer timer(executor(context), std::chrono::milliseconds(1));
    co_await timer.async_wait(boost::asio::deferred);
  }
};

template <class Table>
Service registered() {
  auto handlers = std::make_shared<Handlers>("Registered");
  handlers
      ->process<Phase::request_headers>(
          [](auto&, auto&, auto& request, auto& response) { fill(response, request); })
      .template process<Phase::request_body>([](auto& body, auto&, auto& request, auto& response) {
        fill(response, request);
        response.replace_body(std::string(body.body()) + "!");
      })
      .template process<Phase::request_trailers>(
          [](auto&, auto&, auto& request, auto& response) { fill(response, request); })
      .template process<Phase::response_headers>(
          [](auto&, auto&, auto& request, auto& response) { fill(response, request); })
      .template process<Phase::response_body>(
          [](auto& body, auto& context, auto& request, auto& response) -> Task<> {
            boost::asio::steady_timer timer(executor(context), std::chrono::milliseconds(1));
            co_await timer.async_wait(boost::asio::deferred);
            fill(response, request);
            response.replace_body(std::string(body.body()) + "!");
          })
      .template process<Phase::response_trailers>(
          [](auto&, auto&, auto& request, auto& response) { fill(response, request); });
  return handlers;
}

struct Style {
  const char* name;
  Service (*make)();
};

class Styles : public ::testing::TestWithParam<Style> {};

TEST_P(Styles, AnswerEveryPhaseAlike) {
  const AsEnvoyExtProc envoy({.request_headers = envoy_headers(
                                  {{":method", "PUT"}, {":path", "/"}, {"content-length", "8"}}),
                              .request_body = envoy_body("question"),
                              .request_trailers = testing::HeaderList{{"t", "1"}},
                              .response_headers = envoy_headers({{":status", "200"}}),
                              .response_body = envoy_body("answer"),
                              .response_trailers = testing::HeaderList{{"t", "2"}}});
  const auto result = envoy.process(GetParam().make());
  ASSERT_EQ(result.responses.size(), kPhaseCount);
  EXPECT_EQ(result.status, GrpcStatus::ok);
  EXPECT_TRUE(result.log.empty()) << result.log.front();
  for (std::size_t i = 0; i < kPhaseCount; ++i) {
    const auto phase = static_cast<Phase>(i);
    ASSERT_EQ(result.responses[i].phase, phase);
    EXPECT_EQ(envoy_set_headers_to_dict(result.responses[i]).at("x-phase"), to_string(phase));
  }
  const auto* request_body = result.find(Phase::request_body);
  EXPECT_EQ(request_body->body, "question!");
  EXPECT_EQ(envoy_set_headers_to_dict(*request_body).at("content-length"), "9");
  EXPECT_EQ(result.find(Phase::response_body)->body, "answer!");
}

INSTANTIATE_TEST_SUITE_P(
    Table, Styles,
    ::testing::Values(Style{"Class", [] { return Service::make<Plain>(); }},
                      Style{"Blocking", [] { return Service::make<Blocking>(); }},
                      Style{"PerThread", [] { return Service::make<per_thread<Plain>>(); }},
                      Style{"Coroutines", [] { return Service::make<Suspending>(); }},
                      Style{"Registered", &registered<void>}),
    [](const auto& tested) { return tested.param.name; });

TEST(Names, AreTheClassesOwn) {
  EXPECT_EQ(Service::make<Plain>().name(), "Plain");
  EXPECT_EQ(Service::make<per_thread<Plain>>().name(), "Plain");
  EXPECT_EQ(Service::make<Suspending>().name(), "Suspending");
  EXPECT_EQ(Service::make<BaseExtProcService>().name(), "BaseExtProcService");
}

TEST(HandledPhases, AreReadFromTheType) {
  class Two : public Processor {
   public:
    void process_request_headers(const HttpHeaders&, Context&, Request&,
                                 HeadersResponse&) override {}
    void process_response_body(const HttpBody&, Context&, Request&, BodyResponse&) override {}
  };
  class Three : public Two {
   public:
    void process_request_body(const HttpBody&, Context&, Request&, BodyResponse&) override {}
  };
  EXPECT_EQ(Service::make<Two>().handled_phases(),
            (PhaseSet{Phase::request_headers, Phase::response_body}));
  EXPECT_EQ(Service::make<Three>().handled_phases(),
            (PhaseSet{Phase::request_headers, Phase::request_body, Phase::response_body}));
}

TEST(HandledPhases, CanBeSaidByTheProcessor) {
  class Base : public Processor {
   public:
    virtual PhaseSet handled_phases() const = 0;
  };
  class Concrete : public Base {
   public:
    PhaseSet handled_phases() const override { return {Phase::request_trailers}; }
  };
  Concrete processor;
  Base& unknown = processor;
  EXPECT_EQ(Service(unknown).handled_phases(), PhaseSet{Phase::request_trailers});
}

TEST(Handlers, RefuseMistakesAtSetUp) {
  EXPECT_THROW(Handlers(""), Error);
  Handlers none("None");
  EXPECT_THROW(Service{none}, Error);
  Handlers twice("Twice");
  const auto handler = [](auto&, auto&, auto&, auto&) {};
  twice.process<Phase::request_body>(handler);
  EXPECT_THROW(twice.process<Phase::request_body>(handler), Error);
  Handlers both("Both");
  both.process<Phase::request_body>([](auto&, auto&, auto&, auto&) -> Task<> { co_return; })
      .blocking();
  EXPECT_THROW(Service{both}, Error);
}

TEST(PerThread, MakesOneObjectAThread) {
  struct Counting {
    static std::atomic<int>& made() {
      static std::atomic<int> count{0};
      return count;
    }
    Counting() { ++made(); }
  };
  PerThreadObjects<Counting> objects;
  Counting* here = &objects.local();
  Counting* there = nullptr;
  std::thread([&] { there = &objects.local(); }).join();
  EXPECT_EQ(here, &objects.local());
  EXPECT_NE(here, there);
  EXPECT_EQ(Counting::made(), 2);
}

}  // namespace
}  // namespace extproc
